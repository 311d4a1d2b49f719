// Package channelmessage is the messages of Session Manager's channels for the clients and
// agents that the project has of its own. It shares no code with the emulator, which they
// try.
package channelmessage
