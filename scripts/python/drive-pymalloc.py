"""Runs a list of requests on the object allocator of this interpreter, as if it were new.

Standard input: one line of JSON {"offsets": [...], "operations": n}, then three columns of n little-endian int32 each:
operation (0 malloc, 1 free, 2 realloc, 3 calloc, 4 statistics), block (from 1 in order of creation), size.
Standard output: one line of JSON. A request is answered with its address as [arena, offset], flattened, or -1, -1 for a
block of the C library; arenas are numbered in the order in which the allocator asked for them.

How the allocator comes to be as good as new: the interpreter's own requests are sent to the C library, so that nobody else
asks it for memory; then every pool is filled up, so that the next request makes a new arena. Arenas come from
memory of our own and start where the caller says.
"""
import array
import ctypes
import gc
import json
import os
import re
import sys
import tempfile

MEM, OBJ = 1, 2
MALLOC, FREE, REALLOC, CALLOC, STATISTICS = range(5)
ATTEMPTS = 20


class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]


class ArenaAllocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "alloc", "free")]


def refuse(reason):
    print(json.dumps({"skip": reason}))
    sys.exit(0)


def check_interpreter():
    if sys.implementation.name != "cpython":
        refuse("%s has an allocator of its own" % sys.implementation.name)
    if hasattr(sys, "gettotalrefcount"):
        refuse("a debug build pads every request")
    if hasattr(sys, "_is_gil_enabled"):
        import sysconfig

        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            refuse("a free-threaded build allocates objects with mimalloc")
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        refuse("a 32-bit build has another geometry")
    if not sys.platform.startswith("linux"):
        refuse("arenas are placed by mmap as Linux has it")


check_interpreter()
api = ctypes.pythonapi


def allocator_of(domain):
    found = Allocator()
    api.PyMem_GetAllocator(domain, ctypes.byref(found))
    return found


own, raw = allocator_of(OBJ), allocator_of(0)
pointer, size = ctypes.c_void_p, ctypes.c_size_t
malloc = ctypes.PYFUNCTYPE(pointer, pointer, size)(own.malloc)
calloc = ctypes.PYFUNCTYPE(pointer, pointer, size, size)(own.calloc)
realloc = ctypes.PYFUNCTYPE(pointer, pointer, pointer, size)(own.realloc)
free = ctypes.PYFUNCTYPE(None, pointer, pointer)(own.free)

raw_realloc = ctypes.PYFUNCTYPE(pointer, pointer, pointer, size)(raw.realloc)


def realloc_aside(ctx, block, bytes_):
    """Like the allocator's own, but a realloc of nothing is one by the C library."""
    return raw_realloc(ctx, block, bytes_) if block is None else realloc(ctx, block, bytes_)


# The allocator's own free and realloc see whose block it is, so blocks that the interpreter has from it stay good.
on_realloc = ctypes.PYFUNCTYPE(pointer, pointer, pointer, size)(realloc_aside)
aside = Allocator(raw.ctx, raw.malloc, raw.calloc, ctypes.cast(on_realloc, pointer), own.free)
own_ref, aside_ref = ctypes.byref(own), ctypes.byref(aside)
set_allocator = api.PyMem_SetAllocator
set_allocator.restype = None
print_statistics = sys._debugmallocstats
report = tempfile.TemporaryFile()


def statistics():
    """The text of the statistics. It is printed only while the allocator is in use; no object is made meanwhile."""
    os.ftruncate(report.fileno(), 0)
    os.lseek(report.fileno(), 0, os.SEEK_SET)
    saved = os.dup(2)
    os.dup2(report.fileno(), 2)
    set_allocator(OBJ, own_ref)
    print_statistics()
    set_allocator(OBJ, aside_ref)
    os.dup2(saved, 2)
    os.close(saved)
    length = os.lseek(report.fileno(), 0, os.SEEK_END)
    return os.pread(report.fileno(), length, 0).decode()


ROW = re.compile(r"^ *\d+ +(\d+) +\d+ +\d+ +(\d+)$", re.M)
UNUSED = re.compile(r"^(\d+) unused pools \* (\d+) bytes", re.M)


def fill():
    """Leaves neither a free block nor a free pool, and is sure when it finds it so twice. Returns the statistics then."""
    previous = None
    for _ in range(ATTEMPTS):
        text = statistics()
        if UNUSED.search(text) is None:
            refuse("it prints no statistics of pymalloc")
        free_blocks = [(int(bytes_), int(count)) for bytes_, count in ROW.findall(text) if count != "0"]
        pools, pool_bytes = map(int, UNUSED.search(text).groups())
        own_part = text[: text.index("\nTotal ")]
        if not free_blocks and pools == 0 and own_part == previous:
            return text
        previous = own_part
        for bytes_, count in free_blocks:
            for _ in range(count):
                malloc(None, bytes_)
        for _ in range(pools * ((pool_bytes - 48) // 512)):
            malloc(None, 512)
    refuse("its allocator does not come to rest")


def measured_alignment():
    blocks = sorted(malloc(None, 1) for _ in range(64))
    return min(after - before for before, after in zip(blocks, blocks[1:]))


class Arenas:
    """Arena k starts at offsets[k] (in a cycle) from a multiple of the arena size, two arena sizes behind arena k - 1."""

    def __init__(self, offsets, most):
        self.offsets = offsets
        self.most = most
        self.bytes = 0
        self.base = 0
        self.active = False
        self.made = 0
        self.events = []
        self.now = 0
        self.old = ArenaAllocator()
        api.PyObject_GetArenaAllocator(ctypes.byref(self.old))
        self.old_alloc = ctypes.PYFUNCTYPE(pointer, pointer, size)(self.old.alloc)
        self.old_free = ctypes.PYFUNCTYPE(None, pointer, pointer, size)(self.old.free)
        self.on_alloc = ctypes.PYFUNCTYPE(pointer, pointer, size)(self.alloc)
        self.on_free = ctypes.PYFUNCTYPE(None, pointer, pointer, size)(self.free)

    def install(self, arena_bytes):
        self.bytes = arena_bytes
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = pointer
        libc.mmap.argtypes = [pointer, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        # PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE: pages cost nothing before they are touched.
        at = libc.mmap(None, (2 * self.most + 1) * arena_bytes, 3, 0x4022, -1, 0)
        if at is None or at == 2**64 - 1:
            refuse("there is no room for %d arenas of %d bytes" % (self.most, arena_bytes))
        self.base = -(-at // arena_bytes) * arena_bytes
        mine = ArenaAllocator(self.old.ctx, ctypes.cast(self.on_alloc, pointer), ctypes.cast(self.on_free, pointer))
        api.PyObject_SetArenaAllocator(ctypes.byref(mine))

    def alloc(self, ctx, bytes_):
        if not self.active or bytes_ != self.bytes:
            return self.old_alloc(ctx, bytes_)
        if self.made == self.most:
            return None
        ordinal = self.made
        self.made += 1
        self.events.append([self.now, "A", ordinal])
        return self.base + 2 * ordinal * self.bytes + self.offsets[ordinal % len(self.offsets)]

    def free(self, ctx, at, bytes_):
        ordinal = (at - self.base) // (2 * self.bytes) if self.bytes else -1
        if bytes_ != self.bytes or not 0 <= ordinal < self.made:
            self.old_free(ctx, at, bytes_)
        else:
            self.events.append([self.now, "F", ordinal])

    def place(self, address):
        ordinal, rest = divmod(address - self.base, 2 * self.bytes)
        if not 0 <= ordinal < self.made:
            return -1, -1
        return ordinal, rest - self.offsets[ordinal % len(self.offsets)]


def clear_lookups():
    """Frees the names that only the cache of attribute lookups keeps."""
    api.PyType_ClearCache()


def columns(count):
    data = array.array("i")
    data.frombytes(sys.stdin.buffer.read(12 * count))
    return data[:count], data[count : 2 * count], data[2 * count :]


def main():
    request = json.loads(sys.stdin.buffer.readline().decode())
    operations, blocks, sizes = columns(request["operations"])
    gc.disable()
    alignment = measured_alignment()
    arenas = Arenas(request["offsets"], request["arenas"])
    addresses = [0] * (len(operations) + 1)
    places, texts = [], []
    place = arenas.place
    set_allocator(MEM, aside_ref)
    set_allocator(OBJ, aside_ref)
    arenas.install(int(re.search(r"^\d+ arenas \* (\d+) bytes", statistics(), re.M).group(1)))

    # From here on, what the interpreter had from its allocator before must stay as it is. The cache of attribute lookups is
    # the last owner of some names; which of them a later lookup would push out depends on where the system put things.
    clear_lookups()
    before = fill()
    arenas.active = True
    for i, operation in enumerate(operations):
        arenas.now = i
        block, bytes_ = blocks[i], sizes[i]
        if operation == FREE:
            free(None, addresses[block])
            continue
        if operation == STATISTICS:
            texts.append(statistics())
            continue
        if operation == MALLOC:
            address = malloc(None, bytes_)
        elif operation == CALLOC:
            address = calloc(None, 1, bytes_)
        else:
            address = realloc(None, addresses[block], bytes_)
        addresses[block] = address
        places.extend(place(address))

    answer = {
        "version": list(sys.version_info[:3]),
        "alignment": alignment,
        "before": before,
        "places": places,
        "events": arenas.events,
        "texts": texts,
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # The allocator is full of blocks that nobody frees: there is nothing to tidy up.
    os._exit(0)


main()
