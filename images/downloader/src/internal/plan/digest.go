package plan

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"waybill/downloader/internal/fault"
)

// Digest is "algorithm:hex": sha256 and sha512 as in the OCI image spec, and gitblob, the object name Git gives
// a file (sha1 of a header with the size and the bytes), which Hugging Face publishes for files outside LFS.
type Digest string

var digestLength = map[string]int{"sha256": 64, "sha512": 128, "gitblob": 40}

// ParseDigest checks the algorithm and the hex digits, which may be in capitals.
func ParseDigest(text string) (Digest, error) {
	algorithm, digits, _ := strings.Cut(text, ":")
	digits = strings.ToLower(digits)
	length, known := digestLength[algorithm]
	if _, err := hex.DecodeString(digits); !known || err != nil || len(digits) != length {
		return "", &fault.Error{Kind: fault.Integrity, What: fmt.Sprintf("not a digest this program knows: %q", text)}
	}
	return Digest(algorithm + ":" + digits), nil
}

// Algorithm is the part before the colon.
func (d Digest) Algorithm() string {
	algorithm, _, _ := strings.Cut(string(d), ":")
	return algorithm
}

// Hash gives a fresh hash for a file of size bytes (only gitblob needs the size).
func (d Digest) Hash(size int64) hash.Hash {
	switch d.Algorithm() {
	case "sha512":
		return sha512.New()
	case "gitblob":
		h := sha1.New()
		fmt.Fprintf(h, "blob %d\x00", size)
		return h
	default:
		return sha256.New()
	}
}

// Sum is the digest a hash from d.Hash ended in.
func (d Digest) Sum(h hash.Hash) Digest {
	algorithm := d.Algorithm()
	if algorithm == "" {
		algorithm = "sha256"
	}
	return Digest(algorithm + ":" + hex.EncodeToString(h.Sum(nil)))
}
