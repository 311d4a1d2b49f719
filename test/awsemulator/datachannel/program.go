package datachannel

// Program is what a session runs on a node: a shell, a command or a server behind a
// port. Its methods do not wait. One goroutine at a time calls them.
type Program interface {
	// Input takes what the client sent. It keeps nothing of p.
	Input(p []byte)
	// Full reports whether Input should not be called for now: what it took waits
	// for the client to read.
	Full() bool
	// Output returns up to limit bytes of output, none when there are none yet.
	Output(limit int) []byte
	// Ended reports whether the program has ended and all its output is taken.
	Ended() bool
	// Resize says how large the client's terminal is.
	Resize(columns, rows int)
	// Disconnect says that the client's connection to a port has ended.
	Disconnect()
	// Close ends the program.
	Close()
}

// Start starts a program for a client of a version. changed, which may be called at
// any time, says that there is output or an end.
type Start func(clientVersion string, changed func()) Program
