// As calls.c, with namespaces, classes, templates, a lambda and a stream.
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace store {
struct Log {
    int fd;
    void commit()
    {
        fsync(fd); // AT: fsync
    }
    template <class T> long put(T value)
    {
        return write(fd, &value, sizeof(value)); // AT: write
    }
};
namespace {
int shorten(int fd)
{
    return ftruncate(fd, 1); // AT: ftruncate
}
} // namespace
} // namespace store

int main()
{
    store::Log log{open("log", O_CREAT | O_WRONLY, 0644)}; // AT: open
    log.put(5);
    log.commit();
    auto removal = [] {
        return unlink("log"); // AT: unlink
    };
    std::ofstream("stream") << "text";
    return store::shorten(log.fd) + removal();
}
