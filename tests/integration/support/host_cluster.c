/* A cluster of a test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "host.h"

#define PRIMARIES 3
#define FORMED_MS 60000
#define ID_BYTES  40

static const char *const CLUSTER_OPTIONS =
    "--cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout 1000 "
    "--cluster-require-full-coverage no";

static void id_of(int port, char *out)
{
    snprintf(out, ID_BYTES + 1, "%s", host_say(port, "CLUSTER MYID"));
}

static bool join(struct host_cluster *cluster)
{
    struct host *hosts = cluster->hosts;
    for (int i = 1; i < CLUSTER_HOSTS; i++)
        host_say(hosts[i].port, "CLUSTER MEET 127.0.0.1 %d", hosts[0].port);
    for (int i = 0; i < PRIMARIES; i++) {
        host_say(hosts[i].port, "CLUSTER SET-CONFIG-EPOCH %d", i + 1);
        host_say(hosts[i].port, "CLUSTER ADDSLOTSRANGE %d %d", i * 16384 / PRIMARIES,
                 (i + 1) * 16384 / PRIMARIES - 1);
    }
    for (int i = PRIMARIES; i < CLUSTER_HOSTS; i++) {
        char id[ID_BYTES + 1];
        id_of(hosts[i - PRIMARIES].port, id);
        double limit = now_ms() + FORMED_MS;
        while (strcmp(host_say(hosts[i].port, "CLUSTER REPLICATE %s", id), "OK") &&
               now_ms() < limit)
            sleep_ms(50);
    }
    return cluster_wait(cluster, PRIMARIES, FORMED_MS);
}

bool cluster_start(struct host_cluster *cluster)
{
    memset(cluster, 0, sizeof *cluster);
    for (int i = 0; i < CLUSTER_HOSTS; i++) {
        if (!host_start(&cluster->hosts[i], CLUSTER_OPTIONS))
            return false;
    }
    return CHECK(join(cluster), "the cluster did not form");
}

void cluster_end(struct host_cluster *cluster)
{
    for (int i = 0; i < CLUSTER_HOSTS; i++)
        host_end(&cluster->hosts[i]);
}

static int index_of_port(const struct host_cluster *cluster, int port)
{
    for (int i = 0; i < CLUSTER_HOSTS; i++) {
        if (cluster->hosts[i].port == port)
            return i;
    }
    return -1;
}

static bool serves(const char *ranges, unsigned slot)
{
    while (*ranges && *ranges != '\n') {
        char *end;
        unsigned first = (unsigned)strtoul(ranges, &end, 10);
        unsigned last = *end == '-' ? (unsigned)strtoul(end + 1, &end, 10) : first;
        if (end != ranges && slot >= first && slot <= last)
            return true;
        ranges = strpbrk(end, " \n");
        if (!ranges || *ranges == '\n')
            return false;
        ranges++;
    }
    return false;
}

int cluster_owner(struct host_cluster *cluster, unsigned slot)
{
    for (int i = 0; i < CLUSTER_HOSTS; i++) {
        if (!cluster->hosts[i].pid)
            continue;
        char *nodes = strdup(host_say(cluster->hosts[i].port, "CLUSTER NODES"));
        char *rest = nodes;
        int found = -1;
        for (char *line; found < 0 && (line = strsep(&rest, "\n"));) {
            char flags[64], primary[64];
            int port = 0, at = 0;
            if (sscanf(line, "%*s %*[^:]:%d@%*s %63s %63s %*s %*s %*s %*s %n", &port, flags,
                       primary, &at) >= 3 &&
                at && strstr(flags, "master") && !strstr(flags, "fail") && serves(line + at, slot))
                found = index_of_port(cluster, port);
        }
        free(nodes);
        if (found >= 0)
            return found;
    }
    return -1;
}

int cluster_replica_of(struct host_cluster *cluster, int primary)
{
    for (int i = 0; i < CLUSTER_HOSTS; i++) {
        if (cluster->hosts[i].pid && i != primary &&
            host_info(cluster->hosts[i].port, "master_port") == cluster->hosts[primary].port)
            return i;
    }
    return -1;
}

bool cluster_wait(struct host_cluster *cluster, int replicas, double limit_ms)
{
    double limit = now_ms() + limit_ms;
    for (bool good = false; now_ms() < limit; sleep_ms(50)) {
        int in_step = 0;
        good = true;
        for (int i = 0; good && i < CLUSTER_HOSTS; i++) {
            int port = cluster->hosts[i].port;
            if (!cluster->hosts[i].pid)
                continue;
            const char *said = host_say(port, "CLUSTER INFO");
            good = strstr(said, "cluster_state:ok") && strstr(said, "cluster_slots_ok:16384") &&
                   strstr(said, "cluster_known_nodes:6");
            in_step += strstr(host_say(port, "INFO replication"), "master_link_status:up") != NULL;
        }
        if (good && in_step >= replicas)
            return true;
    }
    return false;
}
