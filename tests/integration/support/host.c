/* Starts, harms and ends redis-server processes of a test's own. */
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "servers.h"

#define PORTS_PER_PROGRAM 15
#define READY_MS          PATIENCE_MS
#define WORDS_MAX         64
#define SAID_MAX          65536

static int first_port, next_port;

void host_ports(int first)
{
    first_port = next_port = first;
}

static bool port_is_free(int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool free_now = bind(probe, (struct sockaddr *)&name, sizeof name) == 0;
    close(probe);
    return free_now;
}

/* The cluster bus is 10000 higher and has to be free as well. */
int host_take_port(void)
{
    for (int tried = 0; tried < PORTS_PER_PROGRAM; tried++) {
        int port = next_port++;
        if (next_port == first_port + PORTS_PER_PROGRAM)
            next_port = first_port;
        if (port_is_free(port) && port_is_free(port + 10000))
            return port;
    }
    return 0;
}

/* In the child: ends with the test, says nothing on the test's own output. */
static void become_server(const struct host *host)
{
    char words[2048];
    char *argv[WORDS_MAX];
    int argc = 0;
    const char *program = server_text("standalone.command.0");
    snprintf(
        words, sizeof words,
        "%s --port %d --bind 127.0.0.1 --protected-mode no --dir %s --logfile %s/log --save  "
        "--appendonly no "
        "--enable-debug-command yes --repl-diskless-sync-delay 0 --repl-ping-replica-period 1 %s",
        *program ? program : "redis-server", host->port, host->folder, host->folder, host->more);
    char *rest = words;
    for (char *word; argc < WORDS_MAX - 1 && (word = strsep(&rest, " "));) {
        if (*word || (argc && !strcmp(argv[argc - 1], "--save")))
            argv[argc++] = word;
    }
    argv[argc] = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(nowhere, fd);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    execvp(argv[0], argv);
    _exit(127);
}

bool host_restart(struct host *host)
{
    pid_t pid = fork();
    if (pid == 0)
        become_server(host);
    if (!CHECK(pid > 0, "fork: %s", strerror(errno)))
        return false;
    host->pid = pid;
    for (double limit = now_ms() + READY_MS; now_ms() < limit; sleep_ms(5)) {
        if (!strcmp(host_say(host->port, "PING"), "PONG"))
            return true;
    }
    return CHECK(false, "the server on port %d did not answer; see %s/log", host->port,
                 host->folder);
}

bool host_start(struct host *host, const char *more)
{
    *host = (struct host){.port = host_take_port()};
    snprintf(host->more, sizeof host->more, "%s", more);
    snprintf(host->folder, sizeof host->folder, "/tmp/tendon-it-XXXXXX");
    if (!CHECK(host->port && mkdtemp(host->folder), "no free port from %d on, or no folder",
               first_port))
        return false;
    return host_restart(host);
}

void host_kill(struct host *host)
{
    if (!host->pid)
        return;
    kill(host->pid, SIGKILL);
    kill(host->pid, SIGCONT);
    waitpid(host->pid, NULL, 0);
    host->pid = 0;
}

void host_end(struct host *host)
{
    host_kill(host);
    if (!host->folder[0])
        return;
    const char *files[] = {"log", "nodes.conf", "dump.rdb", "server.sock"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", host->folder, files[i]);
        unlink(path);
    }
    rmdir(host->folder);
    host->folder[0] = '\0';
}

void host_freeze(struct host *host)
{
    kill(host->pid, SIGSTOP);
}

void host_thaw(struct host *host)
{
    kill(host->pid, SIGCONT);
}

static int dial(int port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {2, 0};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Reads until the reply is complete: a line, or a bulk string. Aggregates are read to the end of
 * what is there. */
static bool said_all(const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);
    if (!end)
        return false;
    if (*text != '$' || text[1] == '-')
        return true;
    return size >= (size_t)(end + 1 - text) + (size_t)atol(text + 1) + 2;
}

const char *host_say(int port, const char *format, ...)
{
    static __thread char text[SAID_MAX];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof text - 2, format, list);
    va_end(list);
    memcpy(text + size, "\r\n", 2);
    int fd = dial(port);
    size_t have = 0;
    if (fd >= 0 && send(fd, text, (size_t)size + 2, MSG_NOSIGNAL) == size + 2) {
        for (ssize_t got = 1; got > 0 && have < sizeof text - 1 && !said_all(text, have);
             have += (size_t)got) {
            got = recv(fd, text + have, sizeof text - 1 - have, 0);
            if (got <= 0)
                break;
        }
    }
    if (fd >= 0)
        close(fd);
    text[have] = '\0';
    char *start = have && *text == '$' ? strchr(text, '\n') : text;
    char *end = text + strlen(text);
    while (end > text && (end[-1] == '\n' || end[-1] == '\r'))
        *--end = '\0';
    return start && *start ? start + 1 : "";
}

long host_info(int port, const char *field)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\n%s:", field);
    const char *found = strstr(host_say(port, "INFO"), pattern);
    return found ? atol(found + strlen(pattern)) : -1;
}
