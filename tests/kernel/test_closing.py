"""What is left when an explorer or its kernel goes."""

from __future__ import annotations

import pytest

from .conftest import Kernel, Page

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.fixture
def own_kernel():
    made = Kernel()
    try:
        yield made
    finally:
        made.stop()


def test_closing_an_explorer_leaves_no_thread_and_no_widget(kernel):
    kernel.run("import ipywidgets, threading")
    Page(kernel).finish()  # whatever is made once and kept
    kernel.run("explorer.close()")
    models = "len(getattr(ipywidgets.widgets.widget, '_instances', ipywidgets.Widget.widgets))"
    before = kernel.ask(models)
    page = Page(kernel)
    page.say_hello()
    page.finish(*[page.move(float(value)) for value in (1, 2, 3)])
    kernel.run("explorer.close()")
    assert kernel.ask(models) == before
    assert kernel.ask("sorted(thread.name for thread in threading.enumerate()) == threads_before")


def test_messages_to_a_closed_explorer_are_ignored(kernel):
    page = Page(kernel)
    page.say_hello()
    kernel.run("explorer.close()")
    request = page.move(1.0)
    page.finish(request, page.custom(type="settle"))
    assert not [message for message in kernel.caused_by(request) if message["msg_type"] == "error"]


def test_a_kernel_with_an_explorer_ends_by_itself_when_asked_to(own_kernel):
    page = Page(own_kernel)
    page.say_hello()
    page.finish(*[page.move(float(value)) for value in (1, 2, 3)])
    own_kernel.client.shutdown()  # asks; kills nothing
    own_kernel.until(lambda: not own_kernel.manager.is_alive(), "the end of the process")


def test_a_restarted_kernel_can_show_an_explorer_again(own_kernel):
    page = Page(own_kernel)
    page.say_hello()
    page.finish(page.move(1.0))
    own_kernel.restart()
    page = Page(own_kernel)
    page.say_hello()
    page.finish(page.move(2.0))
    page.settle()
    assert page.shown() == own_kernel.ask("digest()")
