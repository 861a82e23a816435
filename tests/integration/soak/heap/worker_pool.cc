// A pool of threads like a speech server's, without a network: "serve N" hands N requests to threads drawn at random.
// A request allocates blocks of many sizes, the largest ever larger the longer it runs, and frees them all in
// another order; with an argument it keeps so many bytes of each request behind, three calls deep.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

struct Session {
    std::vector<char> audio;
    explicit Session(size_t size) : audio(size, 'a') {}
};

static size_t kept_bytes;
static std::mutex kept_lock;
static std::vector<std::unique_ptr<Session>> kept;

__attribute__((noinline)) static void remember(std::unique_ptr<Session> session) {
    std::lock_guard<std::mutex> guard(kept_lock);
    kept.push_back(std::move(session));
}

__attribute__((noinline)) static void on_close(size_t size) { remember(std::make_unique<Session>(size)); }

__attribute__((noinline)) static void serve(unsigned seed, double scale) {
    std::mt19937 random(seed);
    std::lognormal_distribution<double> sizes(7.0, 2.0);
    std::vector<std::unique_ptr<char[]>> blocks;
    for (int i = 0; i < 400; i++) {
        size_t size = 24 + std::min(sizes(random), 50000.0) * scale;
        blocks.emplace_back(new char[size]);
        std::memset(blocks.back().get(), 1, size);
    }
    std::shuffle(blocks.begin(), blocks.end(), random);
    blocks.clear();
    if (kept_bytes) on_close(kept_bytes);
}

struct Worker {
    std::mutex lock;
    std::condition_variable wake;
    std::deque<unsigned> seeds;
    std::thread thread;
};

int main(int count, char **arguments) {
    size_t threads = count > 1 ? std::atol(arguments[1]) : 8;
    kept_bytes = count > 2 ? std::atol(arguments[2]) : 0;
    kept.reserve(100000);
    std::atomic<size_t> left{0}, served{0};
    std::mutex done_lock;
    std::condition_variable done;
    std::vector<std::unique_ptr<Worker>> workers;
    for (size_t i = 0; i < threads; i++) {
        workers.push_back(std::make_unique<Worker>());
        Worker *worker = workers.back().get();
        worker->thread = std::thread([worker, &left, &served, &done_lock, &done] {
            for (;;) {
                unsigned seed;
                {
                    std::unique_lock<std::mutex> guard(worker->lock);
                    worker->wake.wait(guard, [worker] { return !worker->seeds.empty(); });
                    seed = worker->seeds.front();
                    worker->seeds.pop_front();
                }
                serve(seed, 1.0 + ++served / 400.0);
                if (--left == 0) {
                    std::lock_guard<std::mutex> guard(done_lock);
                    done.notify_one();
                }
            }
        });
    }
    std::mt19937 random(11);
    char line[64];
    while (std::fgets(line, sizeof line, stdin)) {
        size_t requests = 0;
        std::sscanf(line, "serve %zu", &requests);
        left = requests;
        for (size_t i = 0; i < requests; i++) {
            Worker &worker = *workers[random() % threads];
            std::lock_guard<std::mutex> guard(worker.lock);
            worker.seeds.push_back(random());
            worker.wake.notify_one();
        }
        std::unique_lock<std::mutex> guard(done_lock);
        done.wait(guard, [&left] { return left == 0; });
        std::puts("done");
        std::fflush(stdout);
    }
    std::quick_exit(0);
}
