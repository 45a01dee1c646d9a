# A test of ../ratios.cmake, with numbers in every notation that Google Benchmark writes.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/../ratios.cmake")

set(json [==[{"benchmarks": [
  {"run_name": "row/softmax/fluxion/1000", "run_type": "iteration", "real_time": 1.5250000000000000e+02, "time_unit": "ns"},
  {"run_name": "row/softmax/fluxion/1000", "run_type": "iteration", "real_time": 1.5000000000000000e+02, "time_unit": "ns"},
  {"run_name": "row/softmax/fluxion/1000", "run_type": "aggregate", "real_time": 1.0000000000000000e+00, "time_unit": "ns"},
  {"run_name": "row/softmax/eigen/1000/real_time", "run_type": "iteration", "real_time": 3.0e-01, "time_unit": "us"},
  {"run_name": "row/softmax/hand/1000", "run_type": "iteration", "real_time": 149.0, "time_unit": "ns"},
  {"run_name": "map/chain/hand/10000000", "run_type": "iteration", "real_time": 2.0000000000000000e+00, "time_unit": "ms"},
  {"run_name": "map/chain/fluxion/10000000", "run_type": "iteration", "real_time": 1.9012345678901235e+06, "time_unit": "ns"}
]}]==])
file(WRITE "${WORK_DIR}/sample.json" "${json}")
fluxion_ratio_table(table "${WORK_DIR}/sample.json")
set(expected
"| case        |     size | fluxion ns | fluxion / eigen | fluxion / hand |
| ----------- | -------: | ---------: | --------------: | -------------: |
| map/chain   | 10000000 |    1901234 |               - |           0.95 |
| row/softmax |     1000 |     150.00 |            0.50 |           1.01 |
")
if(NOT table STREQUAL expected)
  message(FATAL_ERROR "got\n${table}\nexpected\n${expected}")
endif()
