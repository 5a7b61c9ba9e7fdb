package transfer

import (
	"crypto/sha256"
	"hash"

	"waybill/downloader/internal/plan"
)

// sums is the sha256 of all that is written to it, and the promised digest where that is another one.
type sums struct {
	promised plan.Digest
	plain    hash.Hash
	other    hash.Hash // nil where the promise is a sha256 or there is none
}

func newSums(promised plan.Digest, size int64) *sums {
	s := &sums{promised: promised, plain: sha256.New()}
	if promised != "" && promised.Algorithm() != "sha256" {
		s.other = promised.Hash(size)
	}
	return s
}

func (s *sums) Write(bytes []byte) (int, error) {
	if s.other != nil {
		_, _ = s.other.Write(bytes)
	}
	return s.plain.Write(bytes)
}

func (s *sums) sha256() plan.Digest { return plan.Digest("").Sum(s.plain) }

func (s *sums) digest() plan.Digest {
	if s.other == nil {
		return s.sha256()
	}
	return s.promised.Sum(s.other)
}
