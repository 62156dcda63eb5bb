"""What every other room uses: files, pictures. No module here imports torch when it is imported."""
