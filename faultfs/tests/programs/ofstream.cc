// A file written as C++ programs do, replaced atomically.
#include <cstdio>
#include <fstream>
#include <iostream>

int main()
{
    std::ofstream file("data.tmp");
    for (int i = 0; i < 10000; i++)
        file << "line " << i << '\n';
    file.close();
    if (!file || std::rename("data.tmp", "data") != 0)
        return 1;
    std::cout << "saved" << std::endl;
    return 0;
}
