/* Certificates that clients share: read once, read again when their file has changed, found among
 * others of the same name, and by any thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "net/tls/openssl_anchors.h"
#include "tls_fixture.h"

#define PATIENCE_S 60
#define THREADS    4

/* A file that was just written is read again and again until its times have settled. */
static struct tendon__anchors *settled(const char *path)
{
    time_t limit = time(NULL) + PATIENCE_S;
    while (time(NULL) < limit) {
        struct tendon__anchors *one = tendon__anchors_file(path);
        struct tendon__anchors *two = tendon__anchors_file(path);
        cr_assert(one && two);
        tendon__anchors_unref(two);
        if (one == two)
            return one;
        tendon__anchors_unref(one);
        usleep(20000);
    }
    cr_assert(false, "never kept");
    return NULL;
}

Test(tls_anchors, are_read_once)
{
    begin();
    struct tendon__anchors *first = settled(ca_file);
    struct tendon__anchors *again = tendon__anchors_file(ca_file);
    cr_assert(again == first);
    tendon__anchors_unref(again);
    cr_assert(!tendon__anchors_file("/nonexistent/ca.crt"));
    /* The cache forgets files; who has their certificates keeps them. */
    char path[64];
    run_in(folder, "for i in $(seq 10 29); do cp ca.crt $i.crt; done");
    snprintf(path, sizeof path, "%.31s/29.crt", folder);
    tendon__anchors_unref(settled(path));
    for (int i = 10; i < 30; i++) {
        snprintf(path, sizeof path, "%.31s/%d.crt", folder, i);
        tendon__anchors_unref(tendon__anchors_file(path));
    }
    tendon__anchors_unref(first);
    end();
}

/* `name`.crt takes the place of the file that clients trust, in one of two ways, and with the times
 * it had: only the system's own time of the change tells. */
static void replace(const char *name, bool in_place)
{
    char command[192];
    snprintf(command, sizeof command,
             in_place ? "cp %s.crt trusted.crt" : "cp %s.crt next && mv next trusted.crt", name);
    run_in(folder, command);
}

static void check_replaced(bool in_place, bool system)
{
    begin();
    char trusted[64];
    authority_make(folder, "other");
    run_in(folder, "cp other.crt trusted.crt");
    snprintf(trusted, sizeof trusted, "%.31s/trusted.crt", folder);
    setenv("SSL_CERT_FILE", trusted, 1);
    tendon__anchors_unref(settled(trusted));
    const struct tendon__tls_options options = {.ca_file = system ? NULL : trusted,
                                                .system_ca = system};
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 4);
    use(&options);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "not trusted");
    replace("ca", in_place);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "not trusted");
    use(&options);
    visit("cache.test", false);
    tendon__anchors_unref(settled(trusted));
    replace("other", in_place);
    use(&options);
    dial_server("cache.test");
    check_failed(TENDON_ERROR_TLS_CERTIFICATE, "not trusted");
    tls_server_stop(&server);
    end();
}

Test(tls_anchors, are_read_again_when_the_file_is_replaced)
{
    check_replaced(false, false);
}

Test(tls_anchors, are_read_again_when_the_file_is_written)
{
    check_replaced(true, false);
}

Test(tls_anchors, are_read_again_when_the_system_is_updated)
{
    check_replaced(false, true);
}

/* The next client sees a bundle that is gone, too, and one that is damaged. */
Test(tls_anchors, are_not_kept_beyond_their_file)
{
    begin();
    run_in(folder, "cp ca.crt trusted.crt");
    char trusted[64];
    snprintf(trusted, sizeof trusted, "%.31s/trusted.crt", folder);
    tendon__anchors_unref(settled(trusted));
    run_in(folder, "echo damage >trusted.crt");
    cr_assert(!tendon__anchors_file(trusted));
    run_in(folder, "rm trusted.crt");
    cr_assert(!tendon__anchors_file(trusted));
    end();
}

/* Two authorities of one name, in each order and in different sources: both are tried. */
Test(tls_anchors, of_the_same_name_are_all_tried)
{
    begin();
    char twin_file[64];
    static char pem[16384];
    run_in(folder, "mkdir twin");
    char twin_folder[40];
    snprintf(twin_folder, sizeof twin_folder, "%.31s/twin", folder);
    authority_make(twin_folder, "ca");
    snprintf(twin_file, sizeof twin_file, "%s/ca.crt", twin_folder);
    run_in(folder, "cat twin/ca.crt ca.crt >both.crt");
    char both_file[64];
    snprintf(both_file, sizeof both_file, "%s/both.crt", folder);
    FILE *file = fopen(twin_file, "r");
    pem[fread(pem, 1, sizeof pem - 1, file)] = '\0';
    fclose(file);
    setenv("SSL_CERT_FILE", ca_file, 1);
    tls_server_start(&server, folder, "server", 0, false, SERVE_ECHO, 4);
    use(&(struct tendon__tls_options){.ca_file = both_file});
    visit("cache.test", false);
    use(&(struct tendon__tls_options){.ca_file = twin_file, .system_ca = true});
    visit("cache.test", false);
    use(&(struct tendon__tls_options){.ca_pem = pem, .ca_file = ca_file});
    visit("cache.test", false);
    use(&(struct tendon__tls_options){.ca_file = twin_file});
    cr_assert(dial_server("cache.test") == TENDON__DIAL_FAILED);
    tls_server_stop(&server);
    end();
}

static void *make_contexts(void *argument)
{
    const struct tendon__tls_options options = {.ca_file = argument, .system_ca = true};
    struct tendon__fault own = {0};
    for (int i = 0; i < 200; i++) {
        struct tendon__tls_context *made = NULL;
        if (tendon__tls_backend()->context_create(tendon__memory_system(), &options, &made, &own) !=
            TENDON_OK)
            return argument;
        tendon__tls_backend()->context_destroy(made);
    }
    return NULL;
}

/* The file changes meanwhile, always to something good. */
Test(tls_anchors, are_read_by_many_threads)
{
    begin();
    authority_make(folder, "other");
    char trusted[64];
    snprintf(trusted, sizeof trusted, "%.31s/trusted.crt", folder);
    run_in(folder, "cp ca.crt trusted.crt");
    setenv("SSL_CERT_FILE", ca_file, 1);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert(pthread_create(&threads[i], NULL, make_contexts, trusted) == 0);
    for (int i = 0; i < 10; i++)
        replace(i % 2 ? "ca" : "other", false);
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        cr_assert(pthread_join(threads[i], &failed) == 0 && !failed);
    }
    end();
}
