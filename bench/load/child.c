/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "template.h"

enum { START_FAILED = 127, FOLDERS_OPEN = 8, STOP_SECONDS = 10, POLLS_PER_SECOND = 200 };

static struct sockaddr_in address_of(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int find_free_port(int *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return ERR_IO;
    struct sockaddr_in address = address_of(0);
    socklen_t len = sizeof address;
    int err = bind(fd, (struct sockaddr *)&address, len) == 0 &&
                      getsockname(fd, (struct sockaddr *)&address, &len) == 0
                  ? 0
                  : ERR_IO;
    close(fd);
    *port = ntohs(address.sin_port);
    return err;
}

int child_init(Child *child) {
    *child = (Child){.pid = 0};
    snprintf(child->folder, sizeof child->folder, "/tmp/chatty-bench-XXXXXX");
    if (mkdtemp(child->folder) == NULL) {
        child->folder[0] = '\0';
        return ERR_IO;
    }
    return find_free_port(&child->port);
}

int child_pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE) return ERR_INVALID;
    CPU_SET((size_t)core, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : ERR_INVALID;
}

static char **fill_command(char **command, int port) {
    size_t count = 0;
    while (command[count] != NULL) count++;
    char **filled = mem_zalloc((count + 1) * sizeof *filled);
    char digits[16];
    snprintf(digits, sizeof digits, "%d", port);
    const TemplateField fields[] = {{STR("port"), str_of(digits)}, {STR_NONE, STR_NONE}};
    for (size_t i = 0; i < count; i++) {
        Buf text = BUF_NONE;
        template_fill(&text, str_of(command[i]), fields);
        filled[i] = mem_copy(text.data ? text.data : "", text.len);
        buf_deinit(&text);
    }
    return filled;
}

/* In the new process: never returns. The program is looked for before the folder changes. */
static void become(const Child *child, char **command, int core) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char *program = strchr(command[0], '/') ? realpath(command[0], NULL) : command[0];
    if (program != NULL && chdir(child->folder) == 0 && (core < 0 || child_pin(core) == 0)) {
        int log = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execvp(program, command);
    }
    perror(command[0]);
    _exit(START_FAILED);
}

int child_start(Child *child, char **command, int core) {
    char **filled = fill_command(command, child->port);
    child->pid = fork();
    if (child->pid == 0) become(child, filled, core);
    for (char **at = filled; *at != NULL; at++) mem_free(*at);
    mem_free(filled);
    if (child->pid > 0) return 0;
    child->pid = 0;
    return ERR_IO;
}

static bool accepts(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = address_of(port);
    bool yes = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return yes;
}

static void pause_shortly(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000000 / POLLS_PER_SECOND}, NULL);
}

int child_wait(const Child *child, int seconds) {
    for (int i = 0; i < seconds * POLLS_PER_SECOND; i++) {
        siginfo_t info = {.si_pid = 0};
        waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
        if (info.si_pid != 0) return ERR_CLOSED;
        if (accepts(child->port)) return 0;
        pause_shortly();
    }
    return ERR_TIMEOUT;
}

void child_read_log(const Child *child, size_t max, Buf *out) {
    char path[128];
    snprintf(path, sizeof path, "%s/log", child->folder);
    FILE *file = fopen(path, "r");
    if (file == NULL) return;
    if (fseek(file, -(long)max, SEEK_END) != 0) rewind(file);
    buf_reserve(out, max);
    out->len += fread(out->data + out->len, 1, max, file);
    fclose(file);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static bool has_ended(pid_t pid) {
    for (int i = 0; i < STOP_SECONDS * POLLS_PER_SECOND; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0) return true;
        pause_shortly();
    }
    return false;
}

void child_stop(Child *child) {
    if (child->pid > 0) {
        kill(child->pid, SIGTERM);
        if (!has_ended(child->pid)) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, NULL, 0);
        }
        child->pid = 0;
    }
    if (child->folder[0] != '\0') nftw(child->folder, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS);
    child->folder[0] = '\0';
}
