"""Writes the Go binding's methods, results, argument structs and tests from spec/surface/go.txt,
and its options from spec/surface/go-options.txt."""

import pathlib

import go_code
import go_mirror
import go_options
import go_replies
import go_table
import go_tests
import surface

FOLDER = "bindings/go"


def commands_of(root):
    known = surface.facts(root)

    def command_of(method):
        words = method.command() or ["SET"]  # what a helper sends whole is a form of SET
        return surface.command_of(known, words)

    return known, command_of


def outputs(root):
    table = go_table.read(root)
    known, command_of = commands_of(root)
    found = {
        f"{FOLDER}/cmd_results.go": go_replies.results(table),
        f"{FOLDER}/cmd_replies.go": go_replies.reply_structs(table),
        f"{FOLDER}/command_args.go": go_code.argument_structs(table),
        f"{FOLDER}/cmdable.go": go_replies.interface(table),
        f"{FOLDER}/error_kinds.go": go_replies.predicates(table),
        f"{FOLDER}/option_fields.go": go_options.source(root),
        f"{FOLDER}/surface_cases_test.go": go_tests.cases(root, table, known, command_of),
    }
    for group in table.groups:
        found[f"{FOLDER}/commands_{group.name.lower()}.go"] = go_code.commands(
            table, group, known, command_of
        )
    return found


def methods(root):
    """(method as a program writes it, COMMAND or CONTAINER|SUBCOMMAND) for every command method."""
    root = pathlib.Path(root)
    table = go_table.read(root)
    _, command_of = commands_of(root)
    return [(m.name, command_of(m)) for group in table.groups for m in group.methods]


def missing(root):
    """Public names of go-redis that are neither here nor left out with a reason."""
    return surface.missing(root, "go", go_mirror.Package(pathlib.Path(root) / FOLDER).surface())
