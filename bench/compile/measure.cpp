// measure <command> <arguments>...: runs a command and prints its seconds of processor time and its largest memory in megabytes.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    std::perror(argv[1]);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  rusage use{};  // of the command and of the compiler proper, which it starts
  getrusage(RUSAGE_CHILDREN, &use);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
#if defined(__APPLE__)
  const double megabytes = static_cast<double>(use.ru_maxrss) / 1048576;
#else
  const double megabytes = static_cast<double>(use.ru_maxrss) / 1024;
#endif
  std::printf("%.2f %.0f\n", seconds(use.ru_utime) + seconds(use.ru_stime), megabytes);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
