package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"reflect"
	"strings"
)

// tlsMapped are the fields of tls.Config that libtendon has options for.
var tlsMapped = map[string]bool{"ServerName": true, "InsecureSkipVerify": true, "MinVersion": true,
	"MaxVersion": true}

// unmappable names the fields of a TLS configuration that libtendon has no option for. With any of
// them, only crypto/tls can honour the configuration; none is ever left out silently.
func unmappable(config *tls.Config) []string {
	if config == nil {
		return nil
	}
	var names []string
	value := reflect.ValueOf(config).Elem()
	for i := 0; i < value.NumField(); i++ {
		field := value.Type().Field(i)
		if field.IsExported() && !value.Field(i).IsZero() && !tlsMapped[field.Name] {
			names = append(names, field.Name)
		}
	}
	// libtendon refuses TLS 1.1 and older, and always offers the newest version.
	if config.MinVersion != 0 && config.MinVersion < tls.VersionTLS12 {
		names = append(names, "MinVersion below TLS 1.2")
	}
	if config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS13 {
		names = append(names, "MaxVersion below TLS 1.3")
	}
	return names
}

// tls hands a mappable configuration to libtendon.
func (s *settings) tls(config *tls.Config) {
	if config == nil {
		return
	}
	s.yes("tls", true)
	s.text("tls_server_name", config.ServerName)
	s.yes("tls_insecure_skip_verify", config.InsecureSkipVerify)
	if config.MinVersion == tls.VersionTLS13 {
		s.text("tls_min_version", "1.3")
	}
}

// dialTLS says in its errors which of the two steps failed.
func dialTLS(ctx context.Context, network, addr string, config *tls.Config) (net.Conn, error) {
	plain, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, fmt.Errorf("TLS handshake with %s: %w", addr, err)
	}
	return conn, nil
}

// unmappableError is for clients that cannot be given their connections by Go.
func unmappableError(option string, names []string) error {
	return unsupported(option+" with "+strings.Join(names, ", "),
		"libtendon connects to the nodes of a cluster itself and knows ServerName, "+
			"InsecureSkipVerify and MinVersion; give files by ClusterOptions.CoreOptions: "+
			"tls_ca_file, tls_cert_file, tls_key_file")
}
