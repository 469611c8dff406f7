"""TLS: what is trusted, who is asked for a certificate, and what each refusal says."""

from __future__ import annotations

import ssl

import tendon
from tests.support import CA_FILE, HOST, ONCE, SERVERS, SOON, Case, client, impatient, server_that

TLS = {"ssl": True, "ssl_ca_certs": CA_FILE}


class TrustTest(Case):
    def test_as_the_article_does(self) -> None:
        tls = SERVERS["tls"]
        redis = tendon.Redis(
            host=tls["host"],
            port=tls["port"],
            ssl=True,
            ssl_cert_reqs="required",
            ssl_ca_certs=CA_FILE,
            socket_timeout=5,
            decode_responses=True,
        )
        self.assertIs(redis.ping(), True)
        redis.set("py:a", "ä", ex=10)
        self.assertEqual(redis.get("py:a"), "ä")
        redis.close()

    def test_every_way_to_trust(self) -> None:
        with open(CA_FILE, encoding="ascii") as file:
            pem = file.read()
        for options in (
            TLS,
            {"ssl": True, "ssl_ca_path": SERVERS["tls"]["ca_dir"]},
            {"ssl": True, "ssl_ca_data": pem},
            {"ssl": True, "ssl_ca_data": ssl.PEM_cert_to_DER_cert(pem)},
            {"ssl": True, "ssl_cert_reqs": "none"},
            {"ssl": True, "ssl_cert_reqs": None},
            {"ssl": True, "ssl_cert_reqs": ssl.CERT_NONE},
            {**TLS, "ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_min_version": ssl.TLSVersion.TLSv1_3},
            {**TLS, "ssl_ciphers": "ECDHE+AESGCM"},
        ):
            with self.subTest(options=str(options)[:70]), impatient("tls", **options) as redis:
                self.assertTrue(redis.ping())

    def test_pools_and_urls(self) -> None:
        tls = SERVERS["tls"]
        address = {"host": tls["host"], "port": tls["port"]}
        for pool in (
            tendon.ConnectionPool(
                ssl=True, ssl_cert_reqs="required", ssl_ca_certs=CA_FILE, **address
            ),
            tendon.ConnectionPool(tendon.SSLConnection, ssl_ca_certs=CA_FILE, **address),
            tendon.ConnectionPool.from_url(
                f"rediss://{tls['host']}:{tls['port']}/0?ssl_ca_certs={CA_FILE}"
            ),
        ):
            with tendon.Redis.from_pool(pool) as redis:
                self.assertTrue(redis.ping())

    def test_client_certificate(self) -> None:
        mtls = SERVERS["mtls"]
        options = {**TLS, "ssl_certfile": mtls["cert_file"], "ssl_keyfile": mtls["key_file"]}
        with impatient("mtls", **options) as redis:
            self.assertTrue(redis.ping())


class RefusalTest(Case):
    def tearDown(self) -> None:
        self.assertTrue(self.redis.set("py:after", 1), "another client still works")

    def test_untrusted(self) -> None:
        for options in ({"ssl": True}, {"ssl": True, "ssl_ca_certs": SERVERS["other_ca_file"]}):
            with self.fails(tendon.CertificateError, "not trusted", "set ssl_ca_certs") as it:
                impatient("tls", **options).ping()
            self.assertIsInstance(it.error, tendon.ConnectionError)
            self.assertEqual((it.error.executed, it.error.status_code), ("no", "TLS_CERTIFICATE"))
            self.assertEqual(repr(it.error), "tls:CertificateError")

    def test_wrong_host_name(self) -> None:
        with self.fails(tendon.CertificateHostnameError, HOST, "set tendon_options") as it:
            impatient("wrong_cert", **TLS).ping()
        self.assertEqual((it.error.executed, it.error.status_code), ("no", "TLS_HOSTNAME"))
        for way in (
            {"ssl_check_hostname": False},
            {"tendon_options": {"tls_server_name": "other.tendon.test"}},
        ):
            with impatient("wrong_cert", **TLS, **way) as redis:
                self.assertTrue(redis.ping())

    def test_no_client_certificate(self) -> None:
        with self.fails(tendon.TLSError, "client certificate", "set ssl_certfile") as it:
            impatient("mtls", **TLS).ping()
        self.assertEqual(it.error.executed, "no")

    def test_missing_and_broken_files(self) -> None:
        mtls = SERVERS["mtls"]
        good = {**TLS, "ssl_certfile": mtls["cert_file"], "ssl_keyfile": mtls["key_file"]}
        for option in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
            with self.subTest(option=option):
                with self.fails(tendon.TLSConfigurationError, option, "/no/such/file.pem") as it:
                    impatient("mtls", **{**good, option: "/no/such/file.pem"}).ping()
                self.assertEqual((it.error.executed, it.error.status_code), ("no", "TLS_CONFIG"))
        with self.fails(tendon.TLSConfigurationError):
            impatient("tls", ssl=True, ssl_ca_certs=__file__).ping()
        with self.fails(tendon.TLSConfigurationError):
            impatient("tls", ssl=True, ssl_ca_data="no certificate").ping()

    def test_tls_to_a_plain_port(self) -> None:
        with impatient("standalone", socket_connect_timeout=1, **TLS) as redis:
            with self.fails(tendon.TimeoutError, "TLS", within=SOON) as it:
                redis.ping()
        self.assertEqual((it.error.executed, it.error.status_code), ("no", "CONNECT_TIMEOUT"))

    def test_plain_to_a_tls_port(self) -> None:
        with self.fails(tendon.ConnectionError, "TLS", within=SOON) as it:
            impatient("tls").ping()
        self.assertEqual(it.error.executed, "no")

    def test_a_server_that_talks_no_tls_at_all(self) -> None:
        with server_that(lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            redis = tendon.Redis(port=port, retry=ONCE, **TLS)
            with self.fails(tendon.TLSError, "TLS") as it:
                redis.ping()
            self.assertEqual(it.error.executed, "no")
            redis.close()

    def test_what_cannot_be_carried_out_is_refused_by_name(self) -> None:
        for option in (
            {"ssl_validate_ocsp": True},
            {"ssl_include_verify_flags": [1]},
            {"ssl_min_version": 0x0301},
            {"ssl_cert_reqs": "sometimes"},
        ):
            with self.fails(tendon.ConfigurationError, next(iter(option))):
                client("tls", ssl=True, **option)
