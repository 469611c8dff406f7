package redis

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"sync/atomic"
)

// Scripter runs scripts: every client, connection, transaction and pipeline.
type Scripter interface {
	Eval(ctx context.Context, script string, keys []string, args ...interface{}) *Cmd
	EvalSha(ctx context.Context, sha1 string, keys []string, args ...interface{}) *Cmd
	EvalRO(ctx context.Context, script string, keys []string, args ...interface{}) *Cmd
	EvalShaRO(ctx context.Context, sha1 string, keys []string, args ...interface{}) *Cmd
	ScriptExists(ctx context.Context, hashes ...string) *BoolSliceCmd
	ScriptLoad(ctx context.Context, script string) *StringCmd
}

// Script is a Lua script that is sent in full only when the server does not know it yet.
type Script struct {
	src  string
	hash atomic.Pointer[string] // nil until the server has told it
}

// NewScript makes a script from its source.
func NewScript(src string) *Script {
	sum := sha1.Sum([]byte(src)) // the server's own name for scripts, not a signature
	hash := hex.EncodeToString(sum[:])
	s := &Script{src: src}
	s.hash.Store(&hash)
	return s
}

// NewScriptServerSHA makes a script whose hash the server computes, at its first use.
func NewScriptServerSHA(src string) *Script { return &Script{src: src} }

// Hash is the SHA-1 by which the server knows the script, "" if it has yet to tell it.
func (s *Script) Hash() string {
	if hash := s.hash.Load(); hash != nil {
		return *hash
	}
	return ""
}

// Load gives the server the script.
func (s *Script) Load(ctx context.Context, c Scripter) *StringCmd {
	cmd := c.ScriptLoad(ctx, s.src)
	if hash := cmd.Val(); cmd.Err() == nil && hash != "" {
		s.hash.Store(&hash)
	}
	return cmd
}

// known is the hash, for which the script is loaded if need be.
func (s *Script) known(ctx context.Context, c Scripter) string {
	if s.hash.Load() == nil {
		s.Load(ctx, c)
	}
	return s.Hash()
}

// Exists says whether the server knows the script.
func (s *Script) Exists(ctx context.Context, c Scripter) *BoolSliceCmd {
	return c.ScriptExists(ctx, s.known(ctx, c))
}

// Eval runs the script by its source.
func (s *Script) Eval(ctx context.Context, c Scripter, keys []string, args ...interface{}) *Cmd {
	return c.Eval(ctx, s.src, keys, args...)
}

// EvalRO runs the script, which writes nothing, by its source; it may go to a replica.
func (s *Script) EvalRO(ctx context.Context, c Scripter, keys []string, args ...interface{}) *Cmd {
	return c.EvalRO(ctx, s.src, keys, args...)
}

// EvalSha runs the script by its hash.
func (s *Script) EvalSha(ctx context.Context, c Scripter, keys []string, args ...interface{}) *Cmd {
	return c.EvalSha(ctx, s.known(ctx, c), keys, args...)
}

// EvalShaRO runs the script, which writes nothing, by its hash; it may go to a replica.
func (s *Script) EvalShaRO(ctx context.Context, c Scripter, keys []string,
	args ...interface{}) *Cmd {
	return c.EvalShaRO(ctx, s.known(ctx, c), keys, args...)
}

// Run runs the script by its hash, and by its source if the server does not know it. Inside a
// pipeline there is no answer yet to tell, so the hash must be known.
func (s *Script) Run(ctx context.Context, c Scripter, keys []string, args ...interface{}) *Cmd {
	cmd := s.EvalSha(ctx, c, keys, args...)
	if HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		return s.Eval(ctx, c, keys, args...)
	}
	return cmd
}

// RunRO is Run for a script that writes nothing; it may go to a replica.
func (s *Script) RunRO(ctx context.Context, c Scripter, keys []string, args ...interface{}) *Cmd {
	cmd := s.EvalShaRO(ctx, c, keys, args...)
	if HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		return s.EvalRO(ctx, c, keys, args...)
	}
	return cmd
}

// ScanIterator walks all pages of a scan.
type ScanIterator struct {
	cmd *ScanCmd
	at  int
}

// Iterator begins at this page and fetches the next ones as they are needed.
func (c *ScanCmd) Iterator() *ScanIterator { return &ScanIterator{cmd: c} }

// Next moves to the next element, and reports false at the end or after an error.
func (it *ScanIterator) Next(ctx context.Context) bool {
	if it.cmd.err != nil {
		return false
	}
	// A page may be empty although more follow.
	for it.at >= len(it.cmd.first) {
		if it.cmd.second == 0 || it.cmd.process == nil {
			return false
		}
		it.cmd.moveTo(it.cmd.second)
		it.at = 0
		if it.cmd.process(ctx, it.cmd) != nil {
			return false
		}
	}
	it.at++
	return true
}

// moveTo writes the cursor where the command has it: after the key, except in SCAN itself.
func (c *ScanCmd) moveTo(cursor uint64) {
	place := 2
	if c.Name() == "scan" {
		place = 1
	}
	c.args = append([]interface{}(nil), c.args...)
	c.args[place] = cursor
	c.first = nil
}

// Val is the element Next moved to.
func (it *ScanIterator) Val() string {
	if it.at == 0 || it.at > len(it.cmd.first) {
		return ""
	}
	return it.cmd.first[it.at-1]
}

// Err is why the walk ended early, or nil.
func (it *ScanIterator) Err() error { return it.cmd.err }
