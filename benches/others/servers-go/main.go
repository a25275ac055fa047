// Command server serves the documents with net/http (../SERVERS.md).
//
// Run as
//
//	server --documents FILE --listen 127.0.0.1:0
//	server --version
//
// FILE has a document on each line. handler.go answers a request, block.go makes
// a call that blocks and burn.go burns CPU for it, and listen.go opens the socket.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("server: ")
	address := flag.String("listen", "127.0.0.1:0", "where to listen")
	file := flag.String("documents", "", "the file that has a document on each line")
	version := flag.Bool("version", false, "say what this was built with")
	flag.Parse()
	if *version {
		fmt.Println(runtime.Version())
		return
	}
	documents, err := readDocuments(*file)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := listen(*address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stdout, "listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, newHandler(documents)))
}
