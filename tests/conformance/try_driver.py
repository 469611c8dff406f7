#!/usr/bin/env python3
"""Executes one program, written as text, with one driver and prints what it reports.

try_driver.py PROGRAM.txt DRIVER ARGUMENT...

"""

import subprocess
import sys

import wire


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        program = wire.from_text(source.read())
    with subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as driver:
        print(wire.read_frame(driver.stdout))
        driver.stdin.write(wire.program_bytes(program))
        driver.stdin.flush()
        rows = []
        while (words := wire.read_frame(driver.stdout)) != [b"done"]:
            rows.append((int(words[1]), int(words[2]), wire.value_of(words[3:])))
        for thread, index, value in sorted(rows, key=lambda row: row[:2]):
            instruction = " ".join(map(wire.escaped, program[thread][index]))
            print(f"{thread}.{index:<4} {instruction:50} {value!r}")
        driver.stdin.write(wire.frame([b"quit"]))
    return driver.returncode


if __name__ == "__main__":
    sys.exit(main())
