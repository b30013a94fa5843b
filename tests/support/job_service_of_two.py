"""Beam's own job service, but with two workers for each job, for which it has no option, as a cluster has several.

Each is asked for over a connection of its own, as by different machines: gRPC would share one.
"""

import sys
from typing import Any

from apache_beam.runners.portability import local_job_service_main
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.worker.channel_factory import GRPCChannelFactory


class TwoWorkers(fn_runner.FnApiRunner):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._num_workers = 2


if __name__ == "__main__":
    fn_runner.FnApiRunner = TwoWorkers
    GRPCChannelFactory.DEFAULT_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))
    local_job_service_main.run(sys.argv[1:])
