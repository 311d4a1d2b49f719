// Package datachannel is the data channel of Session Manager: the service that
// relays between a client, as the session-manager-plugin, and a node, and the
// side of a node's agent for machines that exist only in the emulator.
//
// Client and agent exchange frames in binary websocket messages (Frame). Stream
// data is numbered, acknowledged one by one, and sent again until it is. So a
// frame that the service drops delays a session and loses nothing, and a session
// continues after its connection was cut.
//
// What the programs do on the wire was read from amazon-ssm-agent 3.3.1142.0 and
// session-manager-plugin 1.2.677.0, and seen in runs of both.
package datachannel
