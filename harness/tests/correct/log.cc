// Appends the records of the set-up through a stream, and syncs through another descriptor.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

static bool sync_file(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    return file >= 0 && fsync(file) == 0 && close(file) == 0;
}

int main()
{
    for (const char *name : {"record-1", "record-2"}) {
        std::ifstream record(name, std::ios::binary);
        std::ofstream log("log", std::ios::binary | std::ios::app);
        log << record.rdbuf();
        log.close();
        if (!record || !log || !sync_file("log"))
            return 1;
        std::cout << "saved" << std::endl;
    }
    return 0;
}
