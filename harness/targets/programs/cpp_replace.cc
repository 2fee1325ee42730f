// Replaces a file as many C++ programs do: a temporary file, then a rename. There is no
// fsync, since the standard library has none.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

static void atomic_write(const std::filesystem::path &path, const std::string &text)
{
    std::filesystem::path temporary = path;
    temporary += ".tmp";
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file.exceptions(std::ios::failbit | std::ios::badbit);
        file << text;
    }
    std::filesystem::rename(temporary, path);
}

int main()
{
    std::string text;
    for (int i = 0; i < 3000; i++)
        text += "new\n";
    atomic_write("config", text);
    std::puts("saved");
    return 0;
}
