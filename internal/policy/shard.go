package policy

import "slices"

// emptySize is the length of a document without statements.
const emptySize = len(documentHead) + len(documentTail)

// shard is one policy in the making. Its size is exact at any time: the length
// of the rendered document in bytes. IAM counts characters and no white space;
// counting bytes, spaces inside strings too, is never less.
type shard struct {
	all   *atoms
	atoms []int
	// inGroup counts the atoms by group, statements the groups by kind.
	inGroup    []int32
	statements [statementKinds]int
	size       int
}

func newShard(all *atoms) *shard {
	return &shard{all: all, inGroup: make([]int32, len(all.groups)), size: emptySize}
}

func (s *shard) clone() *shard {
	c := *s
	c.atoms, c.inGroup = slices.Clone(s.atoms), slices.Clone(s.inGroup)
	return &c
}

func (s *shard) empty() bool { return len(s.atoms) == 0 }

func (s *shard) holds(group int32) bool { return s.inGroup[group] > 0 }

// cost is by how much the atom would lengthen the document.
func (s *shard) cost(atom int) int {
	g := s.all.groupOf[atom]
	e := s.all.element(atom)
	size := len(e.scope) + len(e.name) + len(`""`)
	switch s.inGroup[g] {
	case 0:
		size += s.wrapperCost(g)
	case 1:
		size += len(`[,]`)
	default:
		size += len(`,`)
	}
	return size
}

// wrapperCost is what a statement adds to the size of its elements.
func (s *shard) wrapperCost(g int32) int {
	group := &s.all.groups[g]
	size := group.wrapper + sidDigits(s.statements[group.kind]+1)
	if !s.empty() {
		size += len(`,`)
	}
	return size
}

// runCost is by how much the atoms, all of one group, would lengthen the document.
func (s *shard) runCost(run []int) int {
	if len(run) == 0 {
		return 0
	}
	size := s.cost(run[0])
	for _, atom := range run[1:] {
		e := s.all.element(atom)
		size += len(e.scope) + len(e.name) + len(`"",`)
	}
	if len(run) > 1 && !s.holds(s.all.groupOf[run[0]]) {
		size += len(`[]`)
	}
	return size
}

func (s *shard) add(atom int) {
	s.size += s.cost(atom)
	g := s.all.groupOf[atom]
	if s.inGroup[g] == 0 {
		s.statements[s.all.groups[g].kind]++
	}
	s.inGroup[g]++
	s.atoms = append(s.atoms, atom)
}

// addIfFits adds the atom unless the document would exceed limit.
func (s *shard) addIfFits(atom, limit int) bool {
	if s.size+s.cost(atom) > limit {
		return false
	}
	s.add(atom)
	return true
}

// addRunIfFits adds all of the atoms, which are of one group, or none.
func (s *shard) addRunIfFits(run []int, limit int) bool {
	if s.size+s.runCost(run) > limit {
		return false
	}
	for _, atom := range run {
		s.add(atom)
	}
	return true
}

// shardOf returns the shard that holds the atoms.
func shardOf(all *atoms, held []int) *shard {
	s := newShard(all)
	for _, atom := range held {
		s.add(atom)
	}
	return s
}

// render returns the document of the shard, or "" when it is empty. It depends on
// which atoms the shard holds and not on the order in which they were added.
func (s *shard) render() string {
	if s.empty() {
		return ""
	}
	slices.Sort(s.atoms)
	dst := append(make([]byte, 0, s.size), documentHead...)
	var number [statementKinds]int
	for from := 0; from < len(s.atoms); {
		g := s.all.groupOf[s.atoms[from]]
		group := &s.all.groups[g]
		to := from + int(s.inGroup[g])
		if from > 0 {
			dst = append(dst, ',')
		}
		number[group.kind]++
		dst = appendStatement(dst, group.kind, number[group.kind], group.condition, s.elements(group, s.atoms[from:to]))
		from = to
	}
	return string(append(dst, documentTail...))
}

// elements returns those of the atoms, ascending and all of the group.
func (s *shard) elements(g *group, list []int) []element {
	first, last := list[0], list[len(list)-1]
	if last-first+1 == len(list) {
		return g.elements[first-g.first : last-g.first+1]
	}
	elements := make([]element, 0, len(list))
	for _, atom := range list {
		elements = append(elements, s.all.element(atom))
	}
	return elements
}
