// A client of another maker that logs in at regrant. The versions are ones that the Go of Debian 12 still builds.
module regrant-client-tests

go 1.19

require golang.org/x/oauth2 v0.25.0
