package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Document is the part of a document that the job reads. A missing or null base experience is 0.
type Document struct {
	ID             uint32 `json:"id"`
	Name           string `json:"name"`
	Weight         int64  `json:"weight"`
	Height         int64  `json:"height"`
	BaseExperience int64  `json:"base_experience"`
	Types          []struct {
		Type struct {
			Name string `json:"name"`
		} `json:"type"`
	} `json:"types"`
	Stats []struct {
		BaseStat int64 `json:"base_stat"`
	} `json:"stats"`
	Moves []struct {
		Move struct {
			Name string `json:"name"`
		} `json:"move"`
	} `json:"moves"`
}

// Fetched is one document, fetched and parsed. Parsing is not part of its service time.
type Fetched struct {
	document    Document
	bytes       uint64
	serviceTime time.Duration
}

// parse parses the body that came from url.
func parse(url string, body []byte, serviceTime time.Duration) (Fetched, error) {
	fetched := Fetched{bytes: uint64(len(body)), serviceTime: serviceTime}
	if err := json.Unmarshal(body, &fetched.document); err != nil {
		return Fetched{}, &fetchError{url, fmt.Errorf("the body is not a document: %w", err)}
	}
	return fetched, nil
}

// Answer is what all documents add up to.
type Answer struct {
	Documents         uint64            `json:"documents"`
	Bytes             uint64            `json:"bytes"`
	WeightSum         sum               `json:"weight_sum"`
	HeightSum         sum               `json:"height_sum"`
	BaseExperienceSum sum               `json:"base_experience_sum"`
	StatSum           sum               `json:"stat_sum"`
	Moves             uint64            `json:"moves"`
	Types             map[string]uint64 `json:"types"`
	Top               int               `json:"top"`
	Heaviest          []Heavy           `json:"heaviest"`
	NamesChecksum     checksum          `json:"names_checksum"`
}

// Heavy is one of the heaviest documents.
type Heavy struct {
	Weight int64  `json:"weight"`
	ID     uint32 `json:"id"`
	Name   string `json:"name"`
}

func newAnswer(top int) Answer {
	return Answer{Types: make(map[string]uint64), Top: top, Heaviest: []Heavy{}}
}

func (answer *Answer) add(fetched *Fetched) {
	document := &fetched.document
	answer.Documents++
	answer.Bytes += fetched.bytes
	answer.WeightSum.add(document.Weight)
	answer.HeightSum.add(document.Height)
	answer.BaseExperienceSum.add(document.BaseExperience)
	for i := range document.Stats {
		answer.StatSum.add(document.Stats[i].BaseStat)
	}
	answer.Moves += uint64(len(document.Moves))
	for i := range document.Types {
		answer.Types[document.Types[i].Type.Name]++
	}
	answer.keepHeavy(Heavy{document.Weight, document.ID, document.Name})
	answer.NamesChecksum += checksum(fnv1a(document.Name))
}

// keepHeavy keeps the document if it belongs to the top, once however often it was fetched.
func (answer *Answer) keepHeavy(heavy Heavy) {
	place, found := slices.BinarySearchFunc(answer.Heaviest, heavy, heaviestFirst)
	if found || place >= answer.Top {
		return
	}
	answer.Heaviest = slices.Insert(answer.Heaviest, place, heavy)
	answer.Heaviest = answer.Heaviest[:min(len(answer.Heaviest), answer.Top)]
}

func heaviestFirst(a, b Heavy) int {
	switch {
	case a.Weight > b.Weight:
		return -1
	case a.Weight < b.Weight:
		return 1
	default:
		return int(int64(a.ID) - int64(b.ID))
	}
}

// sum is exact: what fits a word is added there, and a sum that would leave it goes to the rest.
type sum struct {
	word int64
	rest big.Int
}

func (sum *sum) add(value int64) {
	word := sum.word + value
	// Two numbers of one sign whose sum has the other have left the word (Hacker's Delight, 2-13).
	if (sum.word^word)&(value^word) < 0 {
		sum.rest.Add(&sum.rest, big.NewInt(sum.word))
		word = value
	}
	sum.word = word
}

// MarshalJSON writes decimal digits in quotes, which survive languages whose numbers are doubles.
func (sum *sum) MarshalJSON() ([]byte, error) {
	whole := new(big.Int).Add(&sum.rest, big.NewInt(sum.word))
	return []byte(`"` + whole.String() + `"`), nil
}

type checksum uint64

// MarshalJSON writes 16 hexadecimal digits.
func (checksum checksum) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `"%016x"`, uint64(checksum)), nil
}

// fnv1a is the hash of that name, of 64 bits. That of hash/fnv is behind an interface and takes a
// copy of the name.
func fnv1a(name string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 0x100000001b3
	}
	return hash
}
