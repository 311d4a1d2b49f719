// Package sessionclient is a client of Session Manager's data channel, as the
// session-manager-plugin is: for machines without the plugin, and to try the
// emulator's side of the protocol by another one. The two share no code.
package sessionclient
