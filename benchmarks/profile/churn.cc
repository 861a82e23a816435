// What a server does to its allocator: sessions of a few hundred allocations, most of them freed at once, the last
// 200 sessions kept. Arguments: sessions, and how often each decodes its audio, which allocates nothing.
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

struct Session {
  std::vector<float> audio;
  std::vector<std::string> words;
};

static std::deque<std::unique_ptr<Session>> open_sessions;

__attribute__((noinline)) float decode(const std::vector<float>& audio) {
  float sum = 0;
  for (float sample : audio) sum += sample * sample;
  return sum;
}

__attribute__((noinline)) void serve(unsigned number, unsigned decodings) {
  auto session = std::make_unique<Session>();
  session->audio.resize(16000 + number % 4096);
  for (int chunk = 0; chunk < 40; chunk++) {
    float sum = 0;
    for (unsigned pass = 0; pass < decodings; pass++) {
      sum += decode(session->audio);
      asm volatile("" : : : "memory");  // each pass anew
    }
    std::vector<float> features(80 * 60, sum);
    for (int word = 0; word < 8; word++) session->words.push_back(std::string(24 + word, 'a'));
    asm volatile("" : : "r"(features.data()) : "memory");
  }
  open_sessions.push_back(std::move(session));
  if (open_sessions.size() > 200) open_sessions.pop_front();
}

int main(int, char** values) {
  unsigned sessions = std::atoi(values[1]), decodings = std::atoi(values[2]);
  for (unsigned number = 0; number < sessions; number++) serve(number, decodings);
}
