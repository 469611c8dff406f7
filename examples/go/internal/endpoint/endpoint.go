// Package endpoint says where the examples connect to: REDIS_ADDR and REDIS_CA, or one of the
// servers of TENDON_SERVERS, named by the program's first argument.
package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
)

type server struct {
	Host   string   `json:"host"`
	Port   int      `json:"port"`
	CAFile string   `json:"ca_file"`
	Nodes  []server `json:"nodes"`
}

// Endpoint is a server to connect to, or a node of a cluster.
type Endpoint struct {
	Addr   string
	CAFile string // empty without TLS
}

// Get ends the program when nothing says where to connect to.
func Get(fallback string) Endpoint {
	name := fallback
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if addr := os.Getenv("REDIS_ADDR"); addr != "" {
		return Endpoint{Addr: addr, CAFile: os.Getenv("REDIS_CA")}
	}
	found, err := find(name)
	if err != nil {
		log.Fatalf("set REDIS_ADDR, or TENDON_SERVERS by eval \"$(./dev env)\": %v", err)
	}
	at := found
	if len(found.Nodes) > 0 {
		at = found.Nodes[0]
	}
	return Endpoint{Addr: net.JoinHostPort(at.Host, strconv.Itoa(at.Port)), CAFile: found.CAFile}
}

func find(name string) (server, error) {
	data, err := os.ReadFile(os.Getenv("TENDON_SERVERS"))
	if err != nil {
		return server{}, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return server{}, err
	}
	var one server
	if all[name] == nil {
		return one, fmt.Errorf("no server is called %q", name)
	}
	return one, json.Unmarshal(all[name], &one)
}

// TLS is nil for a plain server. A certificate of a public authority, such as ElastiCache's, needs
// no more than &tls.Config{}; the test servers' authority is known to nobody else.
func (e Endpoint) TLS() *tls.Config {
	if e.CAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatalf("%s holds no certificate", e.CAFile)
	}
	return &tls.Config{RootCAs: roots}
}
