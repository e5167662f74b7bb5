package dataset

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// TestShelf puts records on a shelf piece by piece, more than memory holds of them, and
// takes them from it in any order.
func TestShelf(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var s shelf
	var want []Record
	caption := func() string { return strings.Repeat("x", random.IntN(20)*random.IntN(200)) }
	for range 20_000 {
		if n := len(want); n > 0 && random.IntN(3) > 0 {
			i := random.IntN(n)
			more := Record{Captions: []string{caption()}}
			if random.IntN(2) == 0 && want[i].ID == "" {
				more.ID = fmt.Sprint("id", i)
				want[i].ID = more.ID
			}
			want[i].Captions = append(want[i].Captions, more.Captions...)
			if err := s.extend(i, more); err != nil {
				t.Fatal(err)
			}
			continue
		}
		r := Record{Image: fmt.Sprint(len(want)), Split: "val", Domain: "in-domain", Captions: []string{caption(), ""}}
		want = append(want, r)
		want[len(want)-1].Captions = append([]string(nil), r.Captions...)
		if err := s.add(r); err != nil {
			t.Fatal(err)
		}
	}
	if s.pieces.Size() < 5<<20 {
		t.Errorf("%d bytes fit in memory", s.pieces.Size())
	}
	for i := range want {
		if i%2 == 0 {
			i = random.IntN(len(want))
		}
		if got, err := s.record(i); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Fatalf("record %d is %+v, want %+v, %v", i, got, want[i], err)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
