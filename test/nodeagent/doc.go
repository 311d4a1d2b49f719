// Package nodeagent is an agent of a node, as amazon-ssm-agent is: it registers with an
// activation, gets the credentials of its role by its key, reports itself, and runs sessions.
// It serves machines without the agent, and tries the emulator's side by another one. The two
// share no code; what a session runs is given to it.
package nodeagent
