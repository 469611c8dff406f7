/* The TLS context: whom it trusts, what it shows of itself, and which files and texts it refuses
 * with which words. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_fixture.h"

#define PEM_MAX 16384

/* The text of a file in `folder`. */
static const char *pem_read(const char *name, char out[PEM_MAX])
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    cr_assert(file);
    out[fread(out, 1, PEM_MAX - 1, file)] = '\0';
    fclose(file);
    return out;
}

Test(tls_config, checks_trust)
{
    begin();
    char other_file[64];
    authority_make(folder, "other");
    snprintf(other_file, sizeof other_file, "%s/other.crt", folder);
    certificate_make(folder, "expired", "ca", "DNS:cache.test", -1);
    use(&(struct tendon__tls_options){.ca_file = other_file});
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 1);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "set tls_ca_file to the CA that issued it");
    tls_server_stop(&server);
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    tls_server_start(&server, folder, "other", 0, false, SERVE_ECHO, 1);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "self-signed certificate ('CN=Test CA other')");
    tls_server_stop(&server);
    tls_server_start(&server, folder, "expired", 0, false, SERVE_ECHO, 1);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "'CN=expired' expired on ");
    tls_server_stop(&server);
    end();
}

Test(tls_config, finds_authorities_everywhere)
{
    begin();
    char directory[64];
    static char pem[PEM_MAX];
    run_in(folder, "mkdir hashed && cp ca.crt hashed/ca.pem && openssl rehash hashed");
    authority_make(folder, "other");
    snprintf(directory, sizeof directory, "%s/hashed", folder);
    run_in(folder, "cat other.crt ca.crt >both.crt");
    pem_read("both.crt", pem);
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 3);
    use(&(struct tendon__tls_options){.ca_dir = directory});
    visit("cache.test", false);
    use(&(struct tendon__tls_options){.ca_pem = pem});
    visit("cache.test", false);
    use(&(struct tendon__tls_options){.system_ca = true});
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "not trusted");
    tls_server_stop(&server);
    end();
}

static void check_client_certificate(int version)
{
    begin();
    char cert_file[64], key_file[64];
    certificate_make(folder, "client", "ca", "DNS:client.test", 2);
    run_in(folder, "openssl ec -in client.key -aes128 -passout pass:secret -out locked.key");
    snprintf(cert_file, sizeof cert_file, "%s/client.crt", folder);
    snprintf(key_file, sizeof key_file, "%s/locked.key", folder);
    tls_server_start(&server, folder, "server", version, true, SERVE_ECHO, 2);
    use(&(struct tendon__tls_options){.ca_file = ca_file});
    if (version == TLS1_2_VERSION) {
        dial_server("cache.test");
        check_failed(TENDON_ERROR_TLS, "client certificate");
    } else {
        char byte;
        cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE, "1.3 tells only afterwards");
        cr_assert(read_all(&dial.transport, &byte, 1, &fault) == TENDON__IO_FAILED);
        cr_assert(fault.status == TENDON_ERROR_TLS && strstr(fault.text, "tls_cert_file"), "%s",
                  fault.text);
        tendon__transport_close(&dial.transport, false);
    }
    use(&(struct tendon__tls_options){.ca_file = ca_file,
                                      .cert_file = cert_file,
                                      .key_file = key_file,
                                      .key_password = "secret"});
    visit("cache.test", false);
    tls_server_stop(&server);
    end();
}

Test(tls_config, shows_its_certificate_1_2)
{
    check_client_certificate(TLS1_2_VERSION);
}

Test(tls_config, shows_its_certificate_1_3)
{
    check_client_certificate(TLS1_3_VERSION);
}

/* The server knows only the authority above the one that issued the client's certificate. */
static void check_client_texts(int version)
{
    begin();
    static char chain[PEM_MAX], leaf[PEM_MAX], key[PEM_MAX], locked[PEM_MAX];
    char chain_file[64], key_file[64];
    run_in(folder, "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "
                   "/CN=middle -keyout middle.key -out middle.csr && "
                   "echo basicConstraints=CA:TRUE >middle.ext && openssl x509 -req -in middle.csr "
                   "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile middle.ext -out "
                   "middle.crt");
    certificate_make(folder, "client", "middle", "DNS:client.test", 2);
    run_in(folder, "cat client.crt middle.crt >chain.crt && openssl pkcs8 -topk8 -in client.key "
                   "-passout pass:secret -out locked.key");
    snprintf(chain_file, sizeof chain_file, "%s/chain.crt", folder);
    snprintf(key_file, sizeof key_file, "%s/client.key", folder);
    pem_read("chain.crt", chain);
    pem_read("client.crt", leaf);
    pem_read("client.key", key);
    pem_read("locked.key", locked);
    typedef struct tendon__tls_options options;
    const options good[] = {
        {.ca_file = ca_file, .cert_pem = chain, .key_pem = key},
        {.ca_file = ca_file, .cert_pem = chain, .key_pem = locked, .key_password = "secret"},
        {.ca_file = ca_file, .cert_pem = chain, .key_file = key_file},
        {.ca_file = ca_file, .cert_file = chain_file, .key_pem = key},
    };
    int count = sizeof good / sizeof *good;
    tls_server_start(&server, folder, "server", version, true, SERVE_ECHO, count + 1);
    for (int i = 0; i < count; i++) {
        use(&good[i]);
        visit("cache.test", false);
    }
    use(&(options){.ca_file = ca_file, .cert_pem = leaf, .key_pem = key});
    if (version == TLS1_2_VERSION) {
        dial_server("cache.test");
        check_failed(TENDON_ERROR_TLS, "check tls_cert_file or tls_cert_pem");
    } else {
        char byte;
        cr_assert(dial_server("cache.test") == TENDON__DIAL_DONE, "1.3 tells only afterwards");
        cr_assert(read_all(&dial.transport, &byte, 1, &fault) == TENDON__IO_FAILED);
        cr_assert(strstr(fault.text, "check tls_cert_file or tls_cert_pem"), "%s", fault.text);
        tendon__transport_close(&dial.transport, false);
    }
    tls_server_stop(&server);
    cr_assert(server.handshakes == count);
    end();
}

Test(tls_config, shows_its_certificate_from_text_1_2)
{
    check_client_texts(TLS1_2_VERSION);
}

Test(tls_config, shows_its_certificate_from_text_1_3)
{
    check_client_texts(TLS1_3_VERSION);
}

static void refuse(struct tendon__tls_options options, const char *part)
{
    struct tendon__tls_context *none = NULL;
    memset(&fault, 0, sizeof fault);
    tendon_status status =
        tendon__tls_backend()->context_create(&counting.memory, &options, &none, &fault);
    cr_assert(status == TENDON_ERROR_TLS_CONFIG && fault.status == status && !none);
    cr_assert(strstr(fault.text, part), "'%s' lacks '%s'", fault.text, part);
    cr_assert(counting.blocks == 0);
}

Test(tls_config, refuses_bad_files)
{
    begin();
    char key[64], locked[64], other[64], both[64];
    authority_make(folder, "other");
    run_in(folder, "openssl ec -in server.key -aes128 -passout pass:secret -out locked.key");
    run_in(folder, "cat server.crt server.key >both.pem && : >empty");
    const char *ca = ca_file;
    snprintf(key, sizeof key, "%s/server.key", folder);
    snprintf(locked, sizeof locked, "%s/locked.key", folder);
    snprintf(other, sizeof other, "%s/other.key", folder);
    snprintf(both, sizeof both, "%s/both.pem", folder);
    char cert[64], empty[64];
    snprintf(cert, sizeof cert, "%s/server.crt", folder);
    snprintf(empty, sizeof empty, "%s/empty", folder);
    typedef struct tendon__tls_options options;
    refuse((options){0}, "no CA to trust");
    refuse((options){.ca_file = "/nonexistent/ca.crt"},
           "tls_ca_file '/nonexistent/ca.crt' cannot be used: No such file or directory");
    refuse((options){.ca_file = empty}, "/empty' cannot be used: no certificate or crl found");
    refuse((options){.ca_file = key}, "tls_ca_file");
    refuse((options){.ca_dir = "/nonexistent"},
           "tls_ca_dir '/nonexistent' cannot be used: No such file");
    refuse((options){.ca_pem = "nonsense"}, "certificate 1 of tls_ca_pem cannot be used");
    refuse((options){.ca_file = ca, .cert_file = "/nonexistent/c"},
           "tls_cert_file '/nonexistent/c'");
    refuse((options){.ca_file = ca, .cert_file = key, .key_file = key}, "tls_cert_file");
    refuse((options){.ca_file = ca, .key_file = key}, "needs its certificate");
    refuse((options){.ca_file = ca, .cert_file = cert}, "tls_cert_file '");
    refuse((options){.ca_file = ca, .cert_file = cert, .key_file = "/nonexistent/k"},
           "'/nonexistent/k'");
    refuse((options){.ca_file = ca, .cert_file = cert, .key_file = empty}, "tls_key_file");
    refuse((options){.ca_file = ca, .cert_file = cert, .key_file = other},
           "does not belong to tls_cert_file");
    refuse((options){.ca_file = ca, .cert_file = cert, .key_file = locked}, "set tls_key_password");
    refuse((options){.ca_file = ca, .cert_file = cert, .key_file = locked, .key_password = "wrong"},
           "tls_key_password is wrong");
    refuse((options){.ca_file = ca, .ciphers = "NOSUCH"},
           "tls_ciphers 'NOSUCH' is refused: no cipher match");
    use(&(options){.ca_file = ca, .cert_file = cert, .key_file = locked, .key_password = "secret"});
    use(&(options){.ca_file = ca, .cert_file = both});
    end();
}

/* As refuse, and no line of the key may be in the fault. */
static void refuse_text(const char *cert, const char *key, const char *password, const char *part)
{
    refuse(
        (struct tendon__tls_options){
            .ca_file = ca_file, .cert_pem = cert, .key_pem = key, .key_password = password},
        part);
    for (const char *line = key; line && *line; line += strcspn(line, "\n"), line += *line != 0)
        for (size_t i = 0; i + 8 <= strcspn(line, "\n"); i++) {
            char piece[9] = "";
            memcpy(piece, line + i, 8);
            cr_assert(!strstr(fault.text, piece), "'%s' shows the key", fault.text);
        }
}

Test(tls_config, refuses_bad_texts)
{
    begin();
    static char cert[PEM_MAX], key[PEM_MAX], other[PEM_MAX], locked[PEM_MAX], rsa[PEM_MAX];
    static char damaged[2 * PEM_MAX], flat[PEM_MAX];
    authority_make(folder, "other");
    run_in(folder, "openssl ec -in server.key -aes128 -passout pass:secret -out locked.key && "
                   "openssl genrsa -out rsa.key 2048");
    pem_read("server.crt", cert);
    pem_read("server.key", key);
    pem_read("other.key", other);
    pem_read("locked.key", locked);
    pem_read("rsa.key", rsa);
    refuse_text("nonsense", key, NULL,
                "tls_cert_pem cannot be used: it holds no certificate in PEM form");
    refuse_text(key, key, NULL, "tls_cert_pem cannot be used: it holds no certificate");
    refuse_text(NULL, key, NULL,
                "tls_key_pem cannot be used: it needs its certificate in tls_cert_file or "
                "tls_cert_pem");
    refuse_text(cert, NULL, NULL, "tls_cert_pem cannot be used: it holds no private key");
    refuse_text(cert, "nonsense", NULL, "tls_key_pem cannot be used: it holds no private key");
    refuse_text(cert, cert, NULL, "tls_key_pem cannot be used: it holds no private key");
    refuse_text(cert, other, NULL,
                "tls_key_pem cannot be used: the key does not belong to tls_cert_pem");
    refuse_text(cert, rsa, NULL, "the key does not belong to tls_cert_pem");
    refuse_text(cert, locked, NULL,
                "tls_key_pem cannot be used: the key is encrypted; set "
                "tls_key_password");
    refuse_text(cert, locked, "wrong", "tls_key_pem cannot be used: tls_key_password is wrong");
    /* What becomes of a text in a variable whose line breaks were lost. */
    strcpy(flat, key);
    for (char *at = flat; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    refuse_text(cert, flat, NULL, "with line breaks");
    memcpy(damaged, cert, strlen(cert) / 2);
    refuse_text(damaged, key, NULL, "tls_cert_pem cannot be used: bad end line");
    /* Only the second certificate is cut. */
    snprintf(damaged, sizeof damaged, "%s%.*s", cert, (int)strlen(cert) / 2, cert);
    refuse_text(damaged, key, NULL, "tls_cert_pem cannot be used: bad end line");
    use(&(struct tendon__tls_options){
        .ca_file = ca_file, .cert_pem = cert, .key_pem = locked, .key_password = "secret"});
    snprintf(damaged, sizeof damaged, "%s%s", key, cert);
    use(&(struct tendon__tls_options){.ca_file = ca_file, .cert_pem = damaged});
    end();
}

/* Every text cut anywhere is refused or, once it is whole, accepted; never more than that. */
Test(tls_config, refuses_every_cut_text)
{
    begin();
    static char cert[PEM_MAX], key[PEM_MAX], part[PEM_MAX];
    pem_read("server.crt", cert);
    pem_read("server.key", key);
    const char *const texts[] = {cert, key};
    for (int i = 0; i < 2; i++) {
        for (size_t size = 1; size + 1 < strlen(texts[i]); size++) {
            snprintf(part, sizeof part, "%.*s", (int)size, texts[i]);
            refuse_text(i == 0 ? part : cert, i == 1 ? part : key, NULL,
                        i == 0 ? "tls_cert_pem cannot" : "tls_key_pem cannot");
        }
    }
    end();
}

Test(tls_config, survives_every_failing_allocation)
{
    begin();
    tls_server_start(&server, folder, "server", TLS1_3_VERSION, false, SERVE_ECHO, 20);
    bool succeeded = false;
    for (int round = 0; round < 20; round++) {
        struct tendon__tls_options options = {.ca_file = ca_file, .resumption = true};
        counting.calls = 0;
        counting.fail_at = succeeded ? 0 : round + 1;
        tendon_status status =
            tendon__tls_backend()->context_create(&counting.memory, &options, &context, &fault);
        cr_assert(status == (round == 0 ? TENDON_ERROR_NO_MEMORY : TENDON_OK));
        if (context && dial_server("cache.test") == TENDON__DIAL_DONE) {
            check_echo();
            succeeded = counting.calls < counting.fail_at || !counting.fail_at;
            tendon__transport_close(&dial.transport, false);
        } else {
            /* The server waits for as many connections as there are rounds. */
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            connect(fd, (struct sockaddr *)&server.peer.address.storage, server.peer.address.size);
            close(fd);
        }
        tendon__tls_backend()->context_destroy(context);
        context = NULL;
        cr_assert(counting.blocks == 0);
    }
    cr_assert(succeeded);
    tls_server_stop(&server);
    end();
}
