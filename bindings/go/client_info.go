package redis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// ClientPreventProp is both kinds of what is not propagated.
const ClientPreventProp = ClientPreventAOFProp | ClientPreventReplProp

// eachWord calls `set` for every name and value of a text such as "id=3 fd=8". Names it does not
// know are left out: newer servers have more.
func eachWord(tape core.Tape, i int, set func(name, value string) error) error {
	text, err := decodeText(tape, i)
	if err != nil {
		return err
	}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		if err := set(name, value); err != nil {
			return fmt.Errorf("redis: field %s of a client: %w", name, err)
		}
	}
	return nil
}

func scanSeconds(value string, to *time.Duration) error {
	seconds, err := strconv.ParseInt(value, 10, 64)
	*to = time.Duration(seconds) * time.Second
	return err
}

// ScanRedis implements Scanner: it reads the letters of CLIENT LIST.
func (f *ClientFlags) ScanRedis(letters string) error {
	for _, letter := range letters {
		*f |= lettersOfClientFlags[letter]
	}
	return nil
}
