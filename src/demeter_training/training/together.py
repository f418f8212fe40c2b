"""Rendering and training of all networks at the same time, on one machine with a GPU.

``python -m demeter_training.training.together START OUT SECONDS``: START holds ``detect.pt``,
``segment.pt`` (states to start from), OUT gets the smoothed states and what was measured.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import copy
import json
import math
import os
import queue as queues
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

from demeter_training.training.assignment import TileTruth, detection_loss
from demeter_training.training.judge import JudgeNetwork, fit_judge, judge_from
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.pretrained import fit_batch_norms
from demeter_training.training.segment import EDGE_WEIGHT, near_edge_of
from demeter_training.training.segmenter import SegmenterNetwork
from demeter_training.training.stream import (
    Clock,
    Drawer,
    load_batches,
    pack,
    render_into,
    say,
    side_for,
)

RATES = {"detect": 1.2e-3, "segment": 1.0e-3}
BATCHES = {"detect": 32, "segment": 16, "judge": 48}
WARM_UP, SMOOTH, DECAY = 100, 0.998, 0.02


def network_for(task: str, start: Path) -> nn.Module:
    """The network of a task with the weights to start from."""
    detector = DetectorNetwork(2)
    detector.load_state_dict(torch.load(start / "detect.pt", weights_only=True))
    if task == "detect":
        return detector
    if task == "judge":
        return judge_from(detector)
    segmenter = SegmenterNetwork()
    segmenter.load_state_dict(torch.load(start / "segment.pt", weights_only=True))
    return segmenter


def images_of(arrays: Any, device: str) -> Tensor:
    """Pictures [N, S, S, 3] as the networks take them."""
    images = torch.from_numpy(arrays[0]).to(device, non_blocking=True)
    return images.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)


def loss_of(task: str, network: nn.Module, arrays: Any, device: str) -> Tensor:
    """The task's loss on one batch."""
    out = network(images_of(arrays, device))
    if task == "detect":
        truths = []
        for boxes, classes in zip(arrays[1], arrays[2], strict=True):
            low, high = boxes[:, :2], boxes[:, 2:]
            centred = torch.from_numpy(np.concatenate([(low + high) / 2, high - low], 1))
            truths.append(TileTruth(centred.to(device), torch.from_numpy(classes).to(device)))
        decoded, centres, strides = out
        return detection_loss(decoded, centres, strides, truths)[0]
    if task == "judge":
        target = torch.from_numpy(np.asarray(arrays[1], np.float32)).to(device)
        return F.binary_cross_entropy_with_logits(out.float(), target)
    types = torch.from_numpy(arrays[1]).long().to(device)
    depth = torch.from_numpy(arrays[2])[:, None].to(device)
    weight = 1 + EDGE_WEIGHT * near_edge_of(depth)
    each = F.cross_entropy(out[0].float(), types, reduction="none")
    type_loss = (each * weight[:, 0]).sum() / weight.sum()
    return type_loss + F.binary_cross_entropy_with_logits(out[1].float(), depth, weight)


def weigh_features(args: argparse.Namespace, clock: Clock, queue: Any) -> None:
    """Collect the judge's features until the clock is over, then fit how they are weighed."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    network = network_for("judge", args.start).to(device).eval()
    assert isinstance(network, JudgeNetwork)
    pooled, shown = [], []
    while clock.share() < 1:
        try:
            arrays = queue.get(timeout=5)
        except queues.Empty:
            continue
        with torch.no_grad():
            pooled.append(network.pooled_features(images_of(arrays, device)).cpu())
        shown.append(torch.from_numpy(np.asarray(arrays[1], np.float32)))
    network.cpu()
    fit_judge(network, torch.cat(pooled), torch.cat(shown))
    torch.save(network.state_dict(), args.out / "judge.pt")
    figures = {"squares": sum(map(len, shown)), **measure("judge", network, network, args, "cpu")}
    (args.out / "judge.json").write_text(json.dumps(figures))
    say("judge", figures)


def train_task(task: str, args: argparse.Namespace, clock: Clock, queue: Any) -> None:
    """Train one network until the clock is over; its smoothed state goes to OUT."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(args.seed)
    network = network_for(task, args.start).to(device).to(memory_format=torch.channels_last)
    first = queue.get(timeout=args.seconds)
    fit_batch_norms(network, images_of(first, device))
    smooth = copy.deepcopy(network).eval()
    plain = [p for p in network.parameters() if p.ndim <= 1]
    kernels = [p for p in network.parameters() if p.ndim > 1]
    groups = [{"params": kernels, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATES[task])
    network.train()
    step, losses, report = 0, [], []
    averaged = [(v, smooth.state_dict()[k]) for k, v in network.state_dict().items()]
    while clock.share() < 1:
        try:
            arrays = queue.get(timeout=5)
        except queues.Empty:
            continue
        warm = min(1.0, (step + 1) / WARM_UP)
        rate = RATES[task] * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * clock.share())))
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(task, network, arrays, device)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        _average(averaged, min(SMOOTH, (1 + step) / (20 + step)))
        step += 1
        if step % 50 == 0:
            losses.append(round(float(loss.detach()), 3))
            if step % 500 == 0:
                line = {
                    "step": step,
                    "loss": float(np.mean(losses[-10:])),
                    "at": round(clock.share(), 3),
                }
                report.append(line)
                say(task, line)
    torch.save(
        {k: v.cpu().contiguous() for k, v in smooth.state_dict().items()}, args.out / f"{task}.pt"
    )
    say(task, "saved at step", step)
    before = network_for(task, args.start).to(device)
    fit_batch_norms(before, images_of(first, device))
    figures = {"steps": step, "log": report, **measure(task, before, smooth, args, device)}
    (args.out / f"{task}.json").write_text(json.dumps(figures))
    say(task, {k: v for k, v in figures.items() if k != "log"})


@torch.no_grad()
def _average(pairs: list[tuple[Tensor, Tensor]], keep: float) -> None:
    """Move each smoothed value toward the present one, in place."""
    for now, mean in pairs:
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - keep)
        else:
            mean.copy_(now)


@torch.no_grad()
def measure(
    task: str, before: nn.Module, after: nn.Module, args: argparse.Namespace, device: str
) -> dict[str, float]:
    """Mean loss on held-out scenes of the weights before and after."""
    drawer, rng = Drawer(args.pictures, task, held_out=True), np.random.default_rng([args.seed, 83])
    if not drawer.look():
        return {}
    side, size = side_for(task, 1.0), max(2, BATCHES[task] // args.thinner)
    batches = [
        pack(task, [drawer.sample(rng, side) for _ in range(size)]) for _ in range(args.checks)
    ]
    result = {}
    for name, network in (("before", before), ("after", after)):
        network.eval()
        result[name] = float(np.mean([float(loss_of(task, network, b, device)) for b in batches]))
        if task == "judge":
            right = [
                ((network(images_of(b, device)).cpu().numpy() > 0) == (b[1] > 0.5)).mean()  # noqa: PLR2004
                for b in batches
            ]
            result[f"{name} right"] = float(np.mean(right))
    return result


def main() -> None:
    """Render and train until the time is over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("start", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--pictures", type=Path, default=Path("/dev/shm/scenes"))  # noqa: S108
    parser.add_argument("--render-share", type=float, default=0.55)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--loaders", type=str, default="detect:6,segment:4,judge:2")
    parser.add_argument("--fewest", type=int, default=150)
    parser.add_argument("--shrink", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--checks", type=int, default=10)
    parser.add_argument("--thinner", type=int, default=1)
    parser.add_argument("--tasks", type=str, default="detect,segment,judge")
    args = parser.parse_args()
    shutil.rmtree(args.pictures, ignore_errors=True)
    args.pictures.mkdir(parents=True)
    args.out.mkdir(parents=True, exist_ok=True)
    context = torch.multiprocessing.get_context("fork")  # nothing runs here yet: no threads, no GPU
    clock = Clock(time.time(), args.seconds)
    until = time.time() + args.seconds * args.render_share
    jobs = [
        context.Process(
            target=render_into,
            args=(args.pictures, args.seed, n, args.workers, until, args.shrink),
            daemon=True,
        )
        for n in range(args.workers)
    ]
    tasks, trainers, queues_open = args.tasks.split(","), [], []
    counts = dict(part.split(":") for part in args.loaders.split(","))
    for task in tasks:
        queue = context.Queue(12)
        queues_open.append(queue)  # a queue that nothing holds is gone before it is used
        for n in range(int(counts[task])):
            own = (
                args.pictures,
                task,
                queue,
                args.seed * 100 + n,
                max(2, BATCHES[task] // args.thinner),
                clock,
                args.fewest,
            )
            jobs.append(context.Process(target=load_batches, args=own, daemon=True))
        learn = (weigh_features, (args, clock, queue))
        if task != "judge":
            learn = (train_task, (task, args, clock, queue))
        trainers.append(context.Process(target=learn[0], args=learn[1]))
    for process in (*jobs, *trainers):
        process.start()
    for trainer in trainers:
        trainer.join()
    say("pictures", len(list(args.pictures.glob("*.truth"))), "seconds", time.time() - clock.start)


if __name__ == "__main__":
    main()
