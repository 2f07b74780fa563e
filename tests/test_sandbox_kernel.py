"""A forked, isolated ipykernel, driven by Jupyter's own clients, which know nothing of it."""

import asyncio
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from autograder.sandbox.provisioner import KERNEL_NAME, install_kernelspec
from tests.test_sandbox_shell import CELLS, comparable, environment

pytestmark = [
    pytest.mark.usefixtures("isolation"),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory):
    """The kernelspec in a place of the test's own."""
    prefix = tmp_path_factory.mktemp("prefix")
    install_kernelspec(["numpy", "matplotlib.pyplot"], prefix=str(prefix))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(prefix / "share/jupyter"))
        yield


def execute(cells, folder, kernel):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook,
        kernel_name=kernel,
        allow_errors=True,
        timeout=60,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment())
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    return execute(CELLS, folder, KERNEL_NAME), execute(CELLS, folder, "python3")


@pytest.mark.parametrize("index", range(len(CELLS)), ids=lambda i: CELLS[i][:40])
def test_outputs_equal_those_of_a_cold_kernel(both, index):
    warm, cold = both
    assert comparable(warm[index]) == comparable(cold[index])


def test_the_kernel_is_isolated_and_knows_its_folder_s_files(tmp_path):
    (tmp_path / "data.csv").write_text("1,2")
    cell = "import os\nos.getpid(), os.getuid(), open('data.csv').read()"
    outputs = execute([cell], tmp_path, KERNEL_NAME)
    assert outputs[0][0]["data"]["text/plain"] == "(1, 1000, '1,2')"


def test_interrupt_and_restart_work_as_for_any_kernel(tmp_path):
    async def scenario():
        manager = AsyncKernelManager(kernel_name=KERNEL_NAME)
        await manager.start_kernel(cwd=str(tmp_path))
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        results = []

        async def execute(code):
            reply = await client._async_execute_interactive(code, output_hook=lambda _: None)
            results.append((reply["content"]["status"], reply["content"].get("ename")))

        await execute("kept = 1")
        sleeping = asyncio.ensure_future(execute("import time\ntime.sleep(60)"))
        await asyncio.sleep(0.5)
        await manager.interrupt_kernel()
        await sleeping
        await execute("kept")
        first = manager.provisioner.pid
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(timeout=60)
        await execute("kept")
        second = manager.provisioner.pid
        await execute("print('again')")
        client.stop_channels()
        await manager.shutdown_kernel(now=False)
        return results, first, second

    results, first, second = asyncio.run(scenario())
    assert results == [
        ("ok", None),
        ("error", "KeyboardInterrupt"),
        ("ok", None),
        ("error", "NameError"),
        ("ok", None),
    ]
    assert first != second
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in (first, second)):
        assert time.monotonic() < deadline, "a kernel outlived its shutdown"
        time.sleep(0.05)


def test_jupyter_server_s_own_kernel_manager_runs_it(tmp_path):
    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

    async def scenario():
        manager = AsyncMappingKernelManager(root_dir=str(tmp_path))
        kernel = await manager.start_kernel(kernel_name=KERNEL_NAME, path="")
        client = manager.get_kernel(kernel).client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        said = []
        await client._async_execute_interactive("print(6 * 7)", output_hook=said.append)
        client.stop_channels()
        await manager.shutdown_kernel(kernel, now=True)
        return [message["content"]["text"] for message in said if message["msg_type"] == "stream"]

    assert asyncio.run(scenario()) == ["42\n"]


def test_a_kernel_that_dies_is_reported_as_dead(tmp_path):
    from nbclient.exceptions import DeadKernelError

    with pytest.raises(DeadKernelError):
        execute(["import os\nos._exit(3)"], tmp_path, KERNEL_NAME)
