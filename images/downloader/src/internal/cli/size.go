package cli

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a flag of bytes with an optional unit, decimal (MB) or binary (MiB).
type size int64

const smallestChunk = 64 << 10 // below it requests cost more than they bring

var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

func (s *size) String() string { return fmt.Sprintf("%dMiB", int64(*s)>>20) }

func (s *size) Set(text string) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		number, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || number > (1<<50)/unit.bytes || number*unit.bytes < smallestChunk {
			break
		}
		*s = size(number * unit.bytes)
		return nil
	}
	return fmt.Errorf("give 64KiB or more, as in 64MiB")
}
