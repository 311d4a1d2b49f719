package objectcache

// ListPages is what an informer lists with.
var ListPages = listPages
