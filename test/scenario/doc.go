// Package scenario has what the scenario tests of several packages share: a World
// of an emulated AWS, a cluster and the operator, objects that a user would
// declare, and what to wait for.
//
// A test declares objects and then checks what AWS holds and what the status
// reports:
//
//	w := scenario.New(t, testenv.ManagerOptions{})
//	grant := scenario.Access("one", "user01", scenario.PC01)
//	w.Create(scenario.Account(), grant)
//
// What one package alone needs belongs in the world_test.go of that package.
package scenario
