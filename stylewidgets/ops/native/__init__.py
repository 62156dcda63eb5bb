"""C++ beside the reference operations: sources, what builds them with ninja (`build`), and what calls them."""
