"""
The peer of bench/images.ts: torchvision's transforms (as openai/CLIP composes them, less the normalisation, which is part of our
graph) in PyTorch's DataLoader with two workers. Reads image paths from the file named first; answers each line on the input
with the images a second of one epoch.
"""
import sys
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize, ToTensor

torch.set_num_threads(1)
files = open(sys.argv[1]).read().splitlines()
transform = Compose([Resize(224, interpolation=InterpolationMode.BICUBIC), CenterCrop(224), lambda image: image.convert("RGB"), ToTensor()])


class Images(Dataset):
    def __len__(self):
        return len(files)

    def __getitem__(self, index):
        return transform(Image.open(files[index]))


loader = DataLoader(Images(), batch_size=64, num_workers=2, persistent_workers=True)
for _ in loader:  # starts the workers
    pass
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    count = sum(len(batch) for batch in loader)
    print(count / (time.perf_counter() - start), flush=True)
