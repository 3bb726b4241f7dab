"""Makes the project's code installable, for machines that run it without a checkout."""

from setuptools import find_packages, setup

setup(
    name="{{project_name}}",
    version="0.1.0",
    package_dir={"": "src"},
    packages=find_packages("src"),
    python_requires=">=3.11",
    # Tauro itself is not on PyPI yet; see requirements.txt.
)
