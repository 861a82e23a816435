/* Makes any server leak a known amount without a change to it: for every TCP connection that it accepts,
 * LEAK_BYTES are allocated with malloc, written to, and forgotten.
 *
 *     cc -shared -fPIC -O1 -o keep_on_accept.so keep_on_accept.c -ldl
 *     LD_PRELOAD=$PWD/keep_on_accept.so LEAK_BYTES=8192 nginx ...
 *
 * Without LEAK_BYTES, or with 0, nothing is kept. The wrappers hand every result and errno on as they are,
 * an allocation that fails is passed over, and there is no state that threads share after the start.
 * The malloc is the server's own: that of jemalloc where the server is linked to it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int accept_t(int, struct sockaddr *, socklen_t *);
typedef int accept4_t(int, struct sockaddr *, socklen_t *, int);

static size_t leak_bytes;
static accept_t *next_accept;
static accept4_t *next_accept4;

__attribute__((constructor)) static void begin(void)
{
    const char *asked = getenv("LEAK_BYTES");
    leak_bytes = asked ? strtoul(asked, NULL, 10) : 0;
    next_accept = (accept_t *)dlsym(RTLD_NEXT, "accept");
    next_accept4 = (accept4_t *)dlsym(RTLD_NEXT, "accept4");
}

/* Whether the connection came by TCP: what a server's own processes say to one another does not count. */
static int came_by_tcp(int connection)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    if (getsockname(connection, (struct sockaddr *)&own, &size) != 0)
        return 0;
    return own.ss_family == AF_INET || own.ss_family == AF_INET6;
}

static int keep_for(int connection)
{
    int error = errno;
    if (connection >= 0 && leak_bytes > 0 && came_by_tcp(connection)) {
        char *kept = malloc(leak_bytes);
        if (kept) {
            memset(kept, 0xA5, leak_bytes);
            __asm__ volatile("" : : "r"(kept) : "memory"); /* or the compiler leaves out what nobody reads */
        }
    }
    errno = error;
    return connection;
}

int accept(int listening, struct sockaddr *address, socklen_t *size)
{
    return keep_for(next_accept(listening, address, size));
}

int accept4(int listening, struct sockaddr *address, socklen_t *size, int flags)
{
    return keep_for(next_accept4(listening, address, size, flags));
}
