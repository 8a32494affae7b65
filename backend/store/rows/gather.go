package rows

import "time"

// The bounds of patience.
const (
	// patience is the part of the last transaction's time that a writer waits for
	// jobs; longest is what it waits at most, and shortest what a timer is good for.
	patience = 4
	longest  = 2 * time.Millisecond
	shortest = 100 * time.Microsecond
	// discouraged is how many groups are not waited for once waiting was in vain.
	discouraged = 16
)

// Gatherer makes groups of the jobs of a queue. When a group is done, most of those
// who were answered come again at once, and meanwhile others wait already. A writer
// that begins with these alone answers one half in turn with the other, each after
// two commits instead of one. So it waits for as many as there were, for a part of
// the time that a commit takes. It belongs to the writer's goroutine.
type Gatherer[T any] struct {
	queue *Queue[T]
	most  int // in a group

	expected int
	wait     time.Duration
	vain     int // groups that are not waited for
	began    time.Time
	group    []*Job[T]
}

// NewGatherer returns a Gatherer whose groups have at most so many jobs.
func NewGatherer[T any](q *Queue[T], most int) *Gatherer[T] {
	return &Gatherer[T]{queue: q, most: most}
}

// Next returns the next group, which is valid until More or Done; none when the
// queue is closed and empty.
func (g *Gatherer[T]) Next() []*Job[T] {
	g.group = g.group[:0]
	first, ok := <-g.queue.jobs
	if !ok {
		return nil
	}
	g.group = append(g.group, first)
	for g.More() {
	}
	if g.vain > 0 {
		g.vain--
	} else if len(g.group) < g.expected && g.wait >= shortest {
		g.await()
		if len(g.group) < g.expected {
			g.vain = discouraged
		}
	}
	g.began = time.Now()
	return g.group
}

// Jobs is the group as it is now.
func (g *Gatherer[T]) Jobs() []*Job[T] { return g.group }

// More adds a job to the group, if one waits and there is room, and reports whether
// it did.
func (g *Gatherer[T]) More() bool {
	if len(g.group) == g.most {
		return false
	}
	select {
	case j, ok := <-g.queue.jobs:
		if ok {
			g.group = append(g.group, j)
		}
		return ok
	default:
		return false
	}
}

// await adds the jobs that come in time, up to as many as are expected.
func (g *Gatherer[T]) await() {
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	for len(g.group) < g.expected {
		select {
		case j, ok := <-g.queue.jobs:
			if !ok {
				return
			}
			g.group = append(g.group, j)
		case <-timer.C:
			return
		}
	}
}

// Done finishes the jobs of the group.
func (g *Gatherer[T]) Done() {
	g.wait = min(time.Since(g.began)/patience, longest)
	g.expected = min(len(g.group)+len(g.queue.jobs), g.most)
	for _, j := range g.group {
		j.Finish()
	}
}
