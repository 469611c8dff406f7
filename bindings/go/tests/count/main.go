// Command count reads the output of `go test -json` and prints the output of what failed and a last
// line "N passed, N failed". Its first argument is the file that is counted; what fails in the
// other files counts too, but what passes there is the same tests once more.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
}

// run is what one file says about its tests.
type run struct {
	ended  map[string]string   // test -> pass, fail or skip
	output map[string][]string // of tests, and of packages under their own name
}

func main() {
	passed, failed := 0, 0
	for i, name := range os.Args[1:] {
		r, err := read(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		ok, bad := r.count()
		if i == 0 {
			passed = ok
		}
		failed += bad
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func read(name string) (*run, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := &run{ended: map[string]string{}, output: map[string][]string{}}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			// What the compiler and the go command say is no JSON.
			fmt.Println(lines.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			r.output[key] = append(r.output[key], e.Output)
		case "pass", "fail", "skip":
			r.ended[key] = e.Action
		case "build-fail":
			r.ended[key] = "fail"
		}
	}
	return r, lines.Err()
}

// count takes tests without subtests. Anything else that failed counts only when nothing below it
// did: a package that does not build, a test that ended the whole program.
func (r *run) count() (passed, failed int) {
	keys := make([]string, 0, len(r.ended))
	for key := range r.ended {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if key[len(key)-1] != ' ' && r.ended[key] == "pass" && !r.below(keys, key, "") {
			passed++
		}
		if r.ended[key] == "fail" && !r.below(keys, key, "fail") {
			failed++
			fmt.Printf("FAILED %s\n%s", key, strings.Join(r.output[key], ""))
		}
	}
	return passed, failed
}

// below says whether a test inside `key` ended with `action`, or at all when it is "".
func (r *run) below(keys []string, key, action string) bool {
	for _, other := range keys {
		inside := strings.HasPrefix(other, key+"/") || (strings.HasSuffix(key,
			" ") && other != key &&
			strings.HasPrefix(other, key))
		if inside && (action == "" || r.ended[other] == action) {
			return true
		}
	}
	return false
}
