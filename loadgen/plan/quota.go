package plan

import (
	"cmp"
	"container/heap"
	"math/bits"
)

// Quota gives requests by their shares at every moment: after any number of turns each has had less than one more or
// less than its weight's share of them. Equal weights give the order of the file. A turn costs O(log requests). It is the
// open model's, and not for concurrent use.
//
// It is Tijdeman's solution of the chairman assignment problem (R. Tijdeman, The chairman assignment problem, Discrete
// Mathematics 32, 1980) put as a queue with deadlines. Of k requests with weights w that add up to W, turn number j of
// one may come at n when n·w/W ≥ j − 1 + 1/(2k−2), and of those that may, the one whose (j − 1/(2k−2))·W/w is earliest
// comes. The smooth round robin of proxies does not keep the bound from four weights on.
type Quota struct {
	turns   []turn
	waiting turnHeap // by when they may come
	ready   turnHeap // by when they must have come
	n       uint64   // turns given
	sum     uint64   // of the weights: W, after which everything begins again
	scale   uint64   // 2k − 2
}

// turn is the next one of a request.
type turn struct {
	request int
	weight  uint64
	round   uint64 // how often everything has begun again
	j       uint64 // in this round, from 1 to weight
	from    uint64 // the first n at which it may come
}

// NewQuota returns a quota over requests. There must be one at least; a weight below 1 counts as 1.
func NewQuota(requests []Request) *Quota {
	q := &Quota{turns: make([]turn, len(requests)), scale: uint64(2*len(requests) - 2)}
	for i := range requests {
		q.turns[i] = turn{request: i, weight: uint64(max(1, requests[i].Weight)), j: 1}
		q.sum += q.turns[i].weight
	}
	q.waiting.less = func(a, b *turn) int { return cmp.Compare(a.from, b.from) }
	q.ready.less = q.sooner
	for i := range q.turns {
		q.wait(&q.turns[i])
	}
	return q
}

// Next returns an index into the requests.
func (q *Quota) Next() int {
	if len(q.turns) == 1 {
		return 0
	}
	q.n++
	for len(q.waiting.turns) > 0 && q.waiting.turns[0].from <= q.n {
		heap.Push(&q.ready, heap.Pop(&q.waiting))
	}
	t := heap.Pop(&q.ready).(*turn)
	if t.j++; t.j > t.weight {
		t.round, t.j = t.round+1, 1
	}
	q.wait(t)
	return t.request
}

// wait puts a turn where it waits until it may come: at ((j−1)·scale + 1)·W / (scale·w), rounded up.
func (q *Quota) wait(t *turn) {
	if q.scale == 0 {
		return // one request has all turns
	}
	hi, lo := bits.Mul64((t.j-1)*q.scale+1, q.sum)
	from, rest := bits.Div64(hi, lo, q.scale*t.weight)
	if rest > 0 {
		from++
	}
	t.from = t.round*q.sum + from
	heap.Push(&q.waiting, t)
}

// sooner compares when turns must have come: (j·scale − 1)/w, by cross-multiplication.
func (q *Quota) sooner(a, b *turn) int {
	if a.round != b.round {
		return cmp.Compare(a.round, b.round)
	}
	aHi, aLo := bits.Mul64(a.j*q.scale-1, b.weight)
	bHi, bLo := bits.Mul64(b.j*q.scale-1, a.weight)
	return cmp.Or(cmp.Compare(aHi, bHi), cmp.Compare(aLo, bLo))
}

// turnHeap is a heap of turns; of two that are equal the one that is earlier in the file comes first.
type turnHeap struct {
	turns []*turn
	less  func(a, b *turn) int
}

func (h *turnHeap) Len() int { return len(h.turns) }
func (h *turnHeap) Less(i, j int) bool {
	a, b := h.turns[i], h.turns[j]
	return cmp.Or(h.less(a, b), cmp.Compare(a.request, b.request)) < 0
}
func (h *turnHeap) Swap(i, j int) { h.turns[i], h.turns[j] = h.turns[j], h.turns[i] }
func (h *turnHeap) Push(x any)    { h.turns = append(h.turns, x.(*turn)) }
func (h *turnHeap) Pop() any {
	last := len(h.turns) - 1
	t := h.turns[last]
	h.turns = h.turns[:last]
	return t
}
