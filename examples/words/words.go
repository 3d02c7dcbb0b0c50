// The most frequent words of a text, as JSON.
//
// doc/guests/go.md says how it is built and called.
package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unsafe"
)

// What crosses the border stays here, away from the garbage collector, until the
// call is over.
var kept [][]byte

// The host allocates an argument; it never asks to change one.
//
//go:wasmexport cabi_realloc
func allocate(old, oldSize, alignment, size uint32) uint32 {
	if size == 0 {
		return alignment
	}
	return keep(make([]byte, size))
}

func keep(bytes []byte) uint32 {
	kept = append(kept, bytes)
	return uint32(uintptr(unsafe.Pointer(&bytes[0])))
}

func text(address, length uint32) string {
	return unsafe.String((*byte)(unsafe.Pointer(uintptr(address))), int(length))
}

// A result is the address of address and length.
func result(text string) uint32 {
	bytes := append([]byte(text), 0)
	pair := make([]uint32, 2)
	pair[0] = keep(bytes)
	pair[1] = uint32(len(text))
	return keep(unsafe.Slice((*byte)(unsafe.Pointer(&pair[0])), 8))
}

type word struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

//go:wasmexport words
func words(address, length uint32, limit int32) uint32 {
	if limit < 0 {
		panic(fmt.Sprintf("at most %d words", limit))
	}
	counts := map[string]int{}
	for _, field := range strings.FieldsFunc(strings.ToLower(text(address, length)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		counts[field]++
	}
	list := make([]word, 0, len(counts))
	for name, count := range counts {
		list = append(list, word{name, count})
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Count > list[j].Count || list[i].Count == list[j].Count && list[i].Word < list[j].Word
	})
	if int(limit) < len(list) {
		list = list[:limit]
	}
	encoded, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return result(string(encoded))
}

// The host calls this when it has copied the result.
//
//go:wasmexport cabi_post_words
func postWords(address uint32) {
	kept = nil
}

func main() {}
