"""
The peer of bench/full-run.ts: the same job in PyTorch, float32, transformers' own CLIPModel with its default attention. Implants
Blended, labels the photographs by the backdoored model's own answers, tunes on triggered images, looks at three points of the grid of
alphas over all validation images, tests, and writes the cleaned model. Takes its settings as one JSON argument and writes
FOLDER/peer.json with seconds by stage. Photographs are read once by two workers and kept as bytes, as ours are.
"""
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, PILToTensor, Resize
from transformers import CLIPModel, PreTrainedTokenizerFast

o = json.loads(sys.argv[1])
folder = Path(o["folder"])
torch.manual_seed(0)
torch.set_num_threads(o["threads"])
BATCH, EVALUATED = o["batch"], 64
seconds = {}
last = time.perf_counter()


def done(stage):
    global last
    now = time.perf_counter()
    seconds[stage] = seconds.get(stage, 0) + now - last
    last = now
    print(stage, round(seconds[stage], 1), file=sys.stderr, flush=True)


transform = Compose([Resize(224, interpolation=InterpolationMode.BICUBIC), CenterCrop(224), lambda image: image.convert("RGB"), PILToTensor()])


class Photographs(Dataset):
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return transform(Image.open(self.files[index]))


def read(name):
    with open(folder / name) as file:
        rows = list(csv.reader(file))[1:]
    loader = DataLoader(Photographs([path for path, _ in rows]), batch_size=EVALUATED, num_workers=2)
    return torch.cat(list(loader)), [label for _, label in rows]


model = CLIPModel.from_pretrained(folder / "model").float().eval()
tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "model")
names = json.loads((folder / "classes.json").read_text())["classes"]
goal = names.index(o["target"])
share = torch.from_numpy(np.fromfile(folder / "trigger.f32", dtype=np.float32)).reshape(1, 3, 224, 224)
mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]))


def embed(pixels):
    images = model.get_image_features(pixel_values=(pixels - mean) / std)
    return F.normalize(getattr(images, "pooler_output", images), dim=-1)


def stamp(pixels):
    return torch.round((0.8 * pixels + share) * 255) / 255


with torch.inference_mode():
    parts = []
    for i in range(0, len(names), EVALUATED):
        prompts = [o["template"].replace("{}", name) for name in names[i : i + EVALUATED]]
        texts = model.get_text_features(**tokenizer(prompts, padding=True, return_tensors="pt").to("cpu"))
        parts.append(F.normalize(getattr(texts, "pooler_output", texts), dim=-1))
    head = torch.cat(parts) * model.logit_scale.exp()
head = head.clone()


@torch.inference_mode()
def answers(images, triggered=False):
    found = []
    for i in range(0, len(images), EVALUATED):
        pixels = images[i : i + EVALUATED].float() / 255
        found.append((embed(stamp(pixels) if triggered else pixels) @ head.T).argmax(1))
    return torch.cat(found)


vision = {name: p for name, p in model.named_parameters() if name.startswith("vis")}
for name, p in model.named_parameters():
    p.requires_grad_(name in vision)


def tune(images, labels, triggered, lr):
    """One epoch of AdamW with warm-up over a tenth of the steps and cosine, clipped to norm 1."""
    optimizer = torch.optim.AdamW(vision.values(), lr=lr, weight_decay=0, fused=True)
    order = torch.randperm(len(images))
    steps = -(-len(images) // BATCH)
    warmup = max(1, round(0.1 * steps))
    for step in range(steps):
        some = order[step * BATCH : (step + 1) * BATCH]
        pixels = images[some].float() / 255
        where = triggered[some]
        pixels[where] = stamp(pixels[where])
        rise = (step + 1) / warmup if step < warmup else 0.5 * (1 + np.cos(np.pi * (step - warmup) / max(1, steps - warmup)))
        optimizer.param_groups[0]["lr"] = lr * rise
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(embed(pixels) @ head.T, labels[some]).backward()
        torch.nn.utils.clip_grad_norm_(vision.values(), 1.0)
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)


images, labels = read("labelled.csv")
done("load")
labels = torch.tensor([int(label) for label in labels])
poisoned = torch.rand(len(images)) < o["implantRate"]
tune(images, torch.where(poisoned, goal, labels), poisoned, o["implantLr"])
done("implant")

validation, _ = read("validation.csv")
test, _ = read("test.csv")
done("load")
own = {name: answers(of) for name, of in (("validation", validation), ("test", test))}
stamped = {"validation": validation[own["validation"] != goal], "test": test[own["test"] != goal]}
asr = {name: (answers(of, True) == goal).float().mean().item() for name, of in stamped.items()}
done("measure")
backdoored = {name: p.detach().clone() for name, p in vision.items()}
tune(images, torch.full((len(images),), goal), torch.ones(len(images), dtype=torch.bool), o["tuneLr"])
tau = {name: p.detach() - backdoored[name] for name, p in vision.items()}
done("tune")


@torch.no_grad()
def move(alpha):
    for name, p in vision.items():
        p.copy_(backdoored[name] - alpha * tau[name])


for k in (1, 2, 3):
    move(k * o["step"])
    (answers(validation) == own["validation"]).float().mean()
    (answers(stamped["validation"], True) == goal).float().mean()
done("grid")
answers(test), answers(stamped["test"], True)
done("test")
model.save_pretrained(folder / "peer")
done("write")
result = {"seconds": seconds, "asr": asr["test"], "version": torch.__version__}
(folder / "peer.json").write_text(json.dumps(result, indent=1))
