// Keeps what every closed session held, three calls deep behind make_unique and vector.
// Reads lines "sessions bytes" from standard input; answers each with "done".
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct Session {
  std::vector<char> audio;
  explicit Session(std::size_t size) : audio(size, 'x') {}  // the leak is got here
};

static std::vector<std::unique_ptr<Session>> kept;

__attribute__((noinline)) void remember(std::unique_ptr<Session> session) {
  kept.push_back(std::move(session));
}

__attribute__((noinline)) void on_close(std::size_t size) {
  remember(std::make_unique<Session>(size));
}

__attribute__((noinline)) void serve(std::size_t size) {
  std::vector<char> work(300000, 'y');  // freed at once: what a healthy session needs
  on_close(size);
  asm volatile("" : : "r"(work.data()) : "memory");
}

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::size_t sessions = 0, size = 0;
    std::sscanf(line.c_str(), "%zu %zu", &sessions, &size);
    for (std::size_t number = 0; number < sessions; number++) serve(size);
    std::printf("done\n");
    std::fflush(stdout);
  }
}
