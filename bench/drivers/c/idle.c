/*
 * What a client with 50 idle connections holds beyond the loaded library: resident memory and heap.
 * Each connection has carried a command and lies in the pool.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tendon/tendon.h>

#include "job.h"

#define CONNECTIONS 50

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        job_die("statm", "cannot be read");
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static long heap_kib(void)
{
    struct mallinfo2 info = mallinfo2();
    return (long)((info.uordblks + info.hblkhd) / 1024);
}

static void use(tendon_client *client, tendon_lease *lease)
{
    tendon_bytes args[] = {{"GET", 3}, {"key:000000000001", 16}};
    tendon_request request = {
        .struct_size = sizeof request, .args = args, .arg_count = 2, .lease = lease};
    tendon_reply *reply;
    if (tendon_call(client, &request, &reply, NULL) != TENDON_OK)
        job_die("GET", "failed");
    tendon_reply_destroy(reply);
}

int main(int argc, char **argv)
{
    struct job job;
    char url[100];
    tendon_config *config;
    tendon_client *client;
    tendon_lease *leases[CONNECTIONS];
    job_read(&job, argc, argv);
    snprintf(url, sizeof url, "redis://%s:%d?pool_max=100", job.host, job.port);
    if (tendon_config_create(&config) != TENDON_OK ||
        tendon_config_set_url(config, url, NULL) != TENDON_OK)
        job_die("config", "refused");
    long rss = resident_kib(), heap = heap_kib();
    if (tendon_client_create(config, &client, NULL) != TENDON_OK)
        job_die("client", "refused");
    for (int i = 0; i < CONNECTIONS; i++) {
        if (tendon_lease_open(client, NULL, &leases[i], NULL) != TENDON_OK)
            job_die("lease", "refused");
        use(client, leases[i]);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        tendon_lease_close(leases[i]);
    usleep(200000);
    printf("{\"connections\": %d, \"rss_kib\": %ld, \"heap_kib\": %ld}\n", CONNECTIONS,
           resident_kib() - rss, heap_kib() - heap);
    tendon_client_destroy(client);
    tendon_config_destroy(config);
    return 0;
}
