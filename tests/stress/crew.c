/* Crews, and the watchdog over them. */
#include "crew.h"

#include <dirent.h>
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAMES_MAX 40
#define TOLD_MAX   10

static pthread_mutex_t watched = PTHREAD_MUTEX_INITIALIZER;
static double limit_ms;
static const char *doing_now = "";

/* In each thread of the program; those of the library block every signal, and wait in epoll, on a
 * condition or in the resolver. */
static void show_stack(int number)
{
    void *frames[FRAMES_MAX];
    (void)number;
    static const char line[] = "# a thread is here:\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

static void show_all_stacks(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    signal(SIGUSR2, show_stack);
    while (tasks && (task = readdir(tasks))) {
        long id = strtol(task->d_name, NULL, 10);
        if (id <= 0 || id == syscall(SYS_gettid))
            continue;
        syscall(SYS_tgkill, (long)getpid(), id, (long)SIGUSR2);
        sleep_ms(50); /* one after the other, so that the stacks do not mix */
    }
    if (tasks)
        closedir(tasks);
}

static void *watch(void *unused)
{
    void *frame;
    backtrace(&frame, 1); /* loads what it needs now, and not in a signal handler */
    for (;;) {
        pthread_mutex_lock(&watched);
        bool late = now_ms() > limit_ms;
        const char *doing = doing_now;
        pthread_mutex_unlock(&watched);
        if (late) {
            printf("# hung while %s; stacks of all threads are on stderr\n", doing);
            fflush(stdout);
            show_all_stacks();
            abort();
        }
        sleep_ms(100);
    }
    return unused;
}

void watch_over(double seconds, const char *doing)
{
    static bool begun;
    pthread_mutex_lock(&watched);
    limit_ms = now_ms() + seconds * 1000;
    doing_now = doing;
    pthread_t thread;
    if (!begun && pthread_create(&thread, NULL, watch, NULL) == 0)
        pthread_detach(thread);
    begun = true;
    pthread_mutex_unlock(&watched);
}

bool crew_add(struct crew *crew, unsigned count, void *(*job)(void *), void *context)
{
    for (unsigned i = 0; i < count; i++, crew->count++)
        if (!CHECK(crew->count < CREW_MAX &&
                       pthread_create(&crew->threads[crew->count], NULL, job, context) == 0,
                   "a thread"))
            return false;
    return true;
}

void crew_stop(struct crew *crew)
{
    __atomic_store_n(&crew->stop, true, __ATOMIC_RELEASE);
}

void crew_join(struct crew *crew)
{
    crew_stop(crew);
    while (crew->count)
        pthread_join(crew->threads[--crew->count], NULL);
}

bool crew_stopping(struct crew *crew)
{
    return __atomic_load_n(&crew->stop, __ATOMIC_ACQUIRE);
}

void crew_failed(struct crew *crew, const char *what, const struct answer *answer)
{
    if (__atomic_add_fetch(&crew->failures, 1, __ATOMIC_RELAXED) < TOLD_MAX)
        CHECK(false, "%s: %s %s%s", what, tendon_status_name(answer->status), answer->text,
              answer->fault.message);
}

static bool is_fair(tendon_status status)
{
    return status == TENDON_ERROR_CLOSED || status == TENDON_ERROR_CANCELLED ||
           status == TENDON_ERROR_DISCONNECTED || status == TENDON_ERROR_POOL_TIMEOUT ||
           status == TENDON_ERROR_TIMEOUT;
}

void crew_judge(struct crew *crew, const char *what, struct answer *answer, const char *wanted)
{
    if (answer->status == TENDON_OK ? strcmp(answer->text, wanted) != 0 : !is_fair(answer->status))
        crew_failed(crew, what, answer);
    forget(answer);
}

unsigned some_number(void)
{
    static unsigned state;
    unsigned x = __atomic_add_fetch(&state, 2654435769u, __ATOMIC_RELAXED);
    x ^= x >> 16;
    x *= 0x45d9f3bu;
    return x ^ x >> 16;
}

tendon_status submit_words(tendon_client *client, tendon_queue *queue, tendon_lease *lease,
                           uint64_t tag, int64_t timeout_ms, uint64_t *out_id, const char *a,
                           const char *b, const char *c)
{
    tendon_bytes words[] = {{a, strlen(a)}, {b, b ? strlen(b) : 0}, {c, c ? strlen(c) : 0}};
    tendon_request request = {.struct_size = sizeof request,
                              .args = words,
                              .arg_count = 1u + (b != NULL) + (c != NULL),
                              .tag = tag,
                              .timeout_ms = timeout_ms,
                              .lease = lease};
    return tendon_submit(client, queue, &request, sizeof request, 1, out_id);
}

unsigned collect(struct crew *crew, tendon_queue *queue, int64_t timeout_ms, const char *wanted)
{
    tendon_completion done[32];
    unsigned outcomes = 0;
    size_t count = tendon_queue_poll(queue, done, sizeof *done, 32, timeout_ms);
    for (size_t i = 0; i < count; i++) {
        struct answer answer = answer_of(done[i].reply, done[i].error);
        outcomes += done[i].kind != TENDON_COMPLETION_EVENT;
        if (done[i].kind == TENDON_COMPLETION_EVENT)
            forget(&answer);
        else
            crew_judge(crew, "submitted", &answer, answer.text[0] == '(' ? "(null)" : wanted);
    }
    return outcomes;
}
