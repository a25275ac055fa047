module server

// Not only what the code needs: the runtime's and the library's defaults are those of the version
// named here, whatever the toolchain.
go 1.25
