"""One run of a big network, what came of it and what it cost."""

from __future__ import annotations

import resource
import time
from typing import Literal

import attrs
import trio

from triomq.testing import VirtualNetwork, run

from .brokering import Broker
from .fleet import Diary, Fleet, Plan
from .publishing import Tree

Shape = Literal["tree", "broker"]
SHAPES: dict[Shape, type[Fleet]] = {"tree": Tree, "broker": Broker}


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a run.

    Attributes:
      hosts: all of them.
      virtual, cpu: seconds that it took, on the network's clock and of a processor.
      memory: most octets that the process had, this run and earlier ones.
      happenings: what the network's recorder has counted.
      deliveries: messages that arrived where they were to arrive.
      diary: what happened to the connections.
      waiting: when something began to wait for its delivery, and when one less waited (-1).
      faults: what must not have happened.
      left: what was still there when all was over.
      digest: of all that happened, octet for octet.
      fleet: the network itself, in the process where it was.
    """

    shape: Shape
    plan: Plan
    hosts: int
    virtual: float
    cpu: float
    memory: int
    happenings: int
    deliveries: int
    diary: Diary
    waiting: list[tuple[float, int]]
    faults: list[str]
    left: list[str]
    digest: str
    fleet: Fleet | None

    @property
    def returned(self) -> list[float]:
        """When connections were made after the fault was over."""
        return [time for time in self.diary.ready if time >= self.plan.healed]

    @property
    def lost(self) -> list[float]:
        """When connections were lost by the fault."""
        return [time for time in self.diary.lost if time >= self.plan.before]


def simulate(shape: Shape, plan: Plan) -> Outcome:
    """Run a network as planned, wait until all that is left of it has gone, and look."""

    async def main(net: VirtualNetwork) -> tuple[Fleet, list[str], float]:
        tasks = trio.lowlevel.current_statistics().tasks_living
        fleet = SHAPES[shape](net, plan)
        await fleet.run()
        virtual = trio.current_time()
        await trio.sleep(2000)  # what a kernel still had to send has been sent, or given up
        left = [str(stream) for host in net._fabric.hosts.values() for stream in host.streams]
        left += [str(listener) for host in net._fabric.hosts.values() for listener in host.listeners.values()]
        if (more := trio.lowlevel.current_statistics().tasks_living - tasks) > 0:
            left.append(f"{more} tasks")
        return fleet, left, virtual

    begun = time.process_time()
    fleet, left, virtual = run(main, seed=plan.seed)
    cpu = time.process_time() - begun
    return Outcome(
        shape=shape,
        plan=plan,
        hosts=len(fleet.net._fabric.hosts),
        virtual=virtual,
        cpu=cpu,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        happenings=fleet.net.recorder.total,
        deliveries=fleet.deliveries(),
        diary=fleet.diary,
        waiting=fleet.waiting(),
        faults=fleet.faults(),
        left=left,
        digest=fleet.net.digest(),
        fleet=fleet,
    )


def simulate_for_others(shape: Shape, plan: Plan) -> Outcome:
    """`simulate`, for another process: the network itself stays in this one."""
    return attrs.evolve(simulate(shape, plan), fleet=None)
