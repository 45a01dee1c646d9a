// What every program with Eigen costs: the floor for hello.cpp.
#include <Eigen/Core>
int main() {}
